import type { KubeObject, ResourceDefinition } from "../model/index.ts";

/** Names one object. `namespace` is absent for cluster-scoped kinds. */
export interface ObjectReference {
  readonly definition: ResourceDefinition;
  readonly namespace?: string;
  readonly name: string;
}

/** Who writes and how; goes into the Operation. */
export interface WriteOptions {
  /** Who asks; controllers and agents use `system:<name>` and leave no Operation. */
  readonly operator: string;
  /** Why, in the operator's words. */
  readonly reason?: string;
  /** IP address that the request came from; not for remote resources, whose server sees it. */
  readonly source?: string;
  /** What the operator was known by; not for remote resources. */
  readonly credential?: string;
  /** Validate and answer as if written, but store nothing. */
  readonly dryRun?: boolean;
  /** Write `status` only; everything else of the object is ignored. */
  readonly subresource?: "status";
  /** `Strict` refuses unknown and duplicate fields, `Warn` reports them, `Ignore` drops them. Default Strict. */
  readonly fieldValidation?: "Strict" | "Warn" | "Ignore";
  /** Called with each warning for the client (an HTTP `Warning` header). */
  readonly onWarning?: (message: string) => void;
}

/** Which objects a list or watch is about. Selectors are in Kubernetes' syntax. */
export interface Selection {
  /** Absent: all namespaces. */
  readonly namespace?: string;
  readonly labelSelector?: string;
  readonly fieldSelector?: string;
}

/** How to list. */
export interface ListOptions extends Selection {
  /** Most objects to return. */
  readonly limit?: number;
  /** Opaque token of an earlier page. */
  readonly continue?: string;
  /** List as of this revision. */
  readonly resourceVersion?: string;
}

/** Objects in namespace and name order, all true together at `resourceVersion`. */
export interface ObjectList {
  readonly items: readonly KubeObject[];
  readonly resourceVersion: string;
  readonly continue?: string;
  /** How many more there are behind `continue`. */
  readonly remainingItemCount?: number;
  /** Counts restores of the store that the list is from, from 1; absent: 1. */
  readonly epoch?: number;
}

/** What a watch delivers. A BOOKMARK says only that everything up to its resourceVersion was delivered. */
export type WatchEvent =
  | {
      readonly type: "ADDED" | "MODIFIED" | "DELETED";
      readonly object: KubeObject;
      readonly previous?: KubeObject;
    }
  | { readonly type: "BOOKMARK"; readonly resourceVersion: string };

/** How to watch. */
export interface WatchOptions extends Selection {
  /** Deliver what happened after this revision; `"0"` or absent: first every existing object as ADDED. */
  readonly resourceVersion?: string;
  /** Ask for BOOKMARK events, at least every 5 s. */
  readonly bookmarks?: boolean;
  /** Told, before the first event, how often the watched store was restored, counted from 1; not called where nobody knows. */
  readonly onEpoch?: (epoch: number) => void;
  readonly signal: AbortSignal;
}

/** A partial change of one object. */
export interface Patch {
  readonly type: "json" | "merge" | "strategic";
  /** Parsed JSON: an array of operations for `json`, else an object. */
  readonly body: unknown;
}

/** How to delete. */
export interface DeleteOptions extends WriteOptions {
  /** Refuse with `Conflict` unless the object is still this one. */
  readonly preconditions?: { readonly uid?: string; readonly resourceVersion?: string };
}

/**
 * The one way to the objects, for controllers, agents, CLI and API alike. Kubernetes' semantics:
 * `resourceVersion` is the store's revision, a write with a stale one is refused with `Conflict`, without one it is unconditional.
 *
 * Every method may throw ParasausError: `NotFound`, `AlreadyExists`, `Conflict`, `Invalid` and `BadRequest` (with the
 * wrong fields), `MethodNotAllowed` for read-only kinds, `Expired` for a compacted revision, `Unavailable`.
 */
export interface Resources {
  get(reference: ObjectReference): Promise<KubeObject>;
  list(definition: ResourceDefinition, options?: ListOptions): Promise<ObjectList>;
  /** @returns the stored object with defaults, uid, resourceVersion. */
  create(definition: ResourceDefinition, object: unknown, options: WriteOptions): Promise<KubeObject>;
  update(reference: ObjectReference, object: unknown, options: WriteOptions): Promise<KubeObject>;
  patch(reference: ObjectReference, patch: Patch, options: WriteOptions): Promise<KubeObject>;
  /** @returns the object as it was last; still stored with `deletionTimestamp` while finalizers hold it. */
  delete(reference: ObjectReference, options: DeleteOptions): Promise<KubeObject>;
  /** Ends quietly when the signal aborts. @throws ParasausError `Expired` when the revision is too old: list again. */
  watch(definition: ResourceDefinition, options: WatchOptions): AsyncIterable<WatchEvent>;
}
