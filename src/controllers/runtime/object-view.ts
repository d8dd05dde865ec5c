import type { Clock, Logger } from "../../foundation/index.ts";
import type { KubeObject, ResourceDefinition } from "../../model/index.ts";
import { followObjects, type Resources } from "../../resources/index.ts";

/** `namespace/name`, or the name alone for what has no namespace. */
export function keyOf(object: KubeObject): string {
  const { namespace, name } = object.metadata;
  return namespace === undefined || namespace === "" ? name : `${namespace}/${name}`;
}

/** One change of one object as the view saw it. */
export interface ViewChange<Kind extends KubeObject> {
  readonly key: string;
  /** Absent when the object is new. */
  readonly before?: Kind;
  /** Absent when the object is gone. */
  readonly after?: Kind;
}

/** A controller's copy of all objects of one kind, kept up to date by a watch. */
export interface ObjectView<Kind extends KubeObject> {
  get(key: string): Kind | undefined;
  values(): IterableIterator<Kind>;
  /** Objects, a count. */
  readonly size: number;
  /** Newest one of which anything is known here, a decimal number. */
  readonly resourceVersion: string;
  /**
   * Takes over what this controller has just written, so that it does not decide on an older state.
   * The watch's own news about it comes later and changes nothing.
   */
  learn(object: Kind): void;
}

/** How to keep a view. */
export interface ObjectViewOptions<Kind extends KubeObject> {
  readonly resources: Resources;
  readonly definition: ResourceDefinition;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly signal: AbortSignal;
  /** Called for each change, in order, the first snapshot included. */
  readonly onChange: (change: ViewChange<Kind>) => void;
}

/**
 * Starts to follow a kind.
 *
 * @returns the view, and promises: `synced` once the first snapshot was delivered, `ended` when the following is over.
 */
export function openObjectView<Kind extends KubeObject>(
  options: ObjectViewOptions<Kind>,
): { readonly view: ObjectView<Kind>; readonly synced: Promise<void>; readonly ended: Promise<void> } {
  const view = new WatchedView<Kind>(options.onChange);
  let announce = (): void => undefined;
  const synced = new Promise<void>((resolve) => {
    announce = resolve;
  });
  if (options.signal.aborted) announce();
  options.signal.addEventListener("abort", () => announce(), { once: true });
  const ended = followObjects(options.resources, options.definition, {
    clock: options.clock,
    logger: options.logger,
    signal: options.signal,
    onSnapshot: (objects, revision) => {
      view.replace(objects as readonly Kind[], revision);
      announce();
    },
    onChange: ({ type, object }) => view.take(type === "DELETED", object as Kind),
  });
  return { view, synced, ended };
}

class WatchedView<Kind extends KubeObject> implements ObjectView<Kind> {
  readonly #objects = new Map<string, Kind>();
  readonly #onChange: (change: ViewChange<Kind>) => void;
  /** Newest revision that the watch has told of. */
  #newestRevision = 0n;

  constructor(onChange: (change: ViewChange<Kind>) => void) {
    this.#onChange = onChange;
  }

  get size(): number {
    return this.#objects.size;
  }

  get resourceVersion(): string {
    return this.#newestRevision.toString();
  }

  get(key: string): Kind | undefined {
    return this.#objects.get(key);
  }

  values(): IterableIterator<Kind> {
    return this.#objects.values();
  }

  learn(object: Kind): void {
    const known = this.#objects.get(keyOf(object));
    // Unknown, yet not newer than what the watch has told: it is gone again.
    if (!known && revisionOf(object) <= this.#newestRevision) return;
    if (known && (known.metadata.uid !== object.metadata.uid || revisionOf(object) <= revisionOf(known)))
      return;
    this.#put(object);
  }

  replace(objects: readonly Kind[], revision: string): void {
    const present = new Set(objects.map(keyOf));
    for (const key of [...this.#objects.keys()]) if (!present.has(key)) this.#remove(key);
    for (const object of objects) this.take(false, object);
    this.#newestRevision = BigInt(revision);
  }

  take(isGone: boolean, object: Kind): void {
    const revision = revisionOf(object);
    if (revision > this.#newestRevision) this.#newestRevision = revision;
    const key = keyOf(object);
    const known = this.#objects.get(key);
    if (isGone) {
      if (known && known.metadata.uid === object.metadata.uid) this.#remove(key);
    } else if (!known || revision > revisionOf(known)) this.#put(object);
    // Learned before: the watch's object is shared with all other views, the learned one is a copy.
    else if (revision === revisionOf(known)) this.#objects.set(key, object);
  }

  #put(object: Kind): void {
    const key = keyOf(object);
    const before = this.#objects.get(key);
    this.#objects.set(key, object);
    this.#onChange({ key, ...(before ? { before } : {}), after: object });
  }

  #remove(key: string): void {
    const before = this.#objects.get(key);
    this.#objects.delete(key);
    if (before) this.#onChange({ key, before });
  }
}

function revisionOf(object: KubeObject): bigint {
  return BigInt(object.metadata.resourceVersion ?? "0");
}
