import { ParasausError } from "../../foundation/index.ts";
import {
  type KubeObject,
  type Namespace,
  namespaceDefinition,
  type ResourceDefinition,
} from "../../model/index.ts";
import type { Store, StoreCondition, StoreWrite } from "../../store/index.ts";
import type { ObjectReader } from "./codec.ts";
import { encodeObject } from "./codec.ts";
import { keyOf, notFound, titleOf } from "./keys.ts";

/** Holds a namespace that is being deleted until its objects are gone. */
export const NAMESPACE_FINALIZER = "parasaus.io/objects";
const UNDELETABLE = "default";

/** What a create in a namespace has to make sure of in its own transaction. */
export interface NamespaceClaim {
  readonly conditions: readonly StoreCondition[];
  readonly writes: readonly StoreWrite[];
}

/** How to look a namespace up, and to make it when it is missing. */
export interface NamespaceSource {
  readonly store: Store;
  readonly reader: ObjectReader;
  readonly autoCreateNamespaces: boolean;
  /** The namespace of this name as it would be created. */
  readonly draft: (name: string) => KubeObject;
}

/**
 * Makes sure that a namespace is there and stays there while an object is created in it.
 *
 * @throws ParasausError `NotFound` naming the namespace, `Forbidden` while it is being deleted
 */
export async function claimNamespace(name: string, source: NamespaceSource): Promise<NamespaceClaim> {
  const reference = { definition: namespaceDefinition, name };
  const key = keyOf(reference);
  const entry = await source.store.get(key);
  if (entry) {
    refuseTerminating(source.reader.read(entry));
    return { conditions: [{ key, modRevision: entry.modRevision }], writes: [] };
  }
  if (!source.autoCreateNamespaces) throw notFound(reference);
  return {
    conditions: [{ key, modRevision: 0 }],
    writes: [{ kind: "put", key, value: encodeObject(source.draft(name)) }],
  };
}

function refuseTerminating({ metadata: { name, deletionTimestamp } }: KubeObject): void {
  if (!deletionTimestamp) return;
  const reason = `unable to create new content in namespace ${name} because it is being terminated`;
  throw new ParasausError(
    "Forbidden",
    `${titleOf({ definition: namespaceDefinition, name })} is forbidden: ${reason}`,
  );
}

/** A new namespace is active at once: nobody has to come and say so. */
export function activate(definition: ResourceDefinition, object: KubeObject): KubeObject {
  if (definition !== namespaceDefinition) return object;
  const active: Namespace = { ...(object as Namespace), status: { phase: "Active" } };
  return active;
}

/** A namespace that is deleted stays, terminating, until the objects in it are gone. */
export function terminate(definition: ResourceDefinition, object: KubeObject): KubeObject {
  if (definition !== namespaceDefinition) return object;
  const { metadata } = object;
  if (metadata.name === UNDELETABLE) {
    const title = titleOf({ definition, name: metadata.name });
    throw new ParasausError("Forbidden", `${title} is forbidden: this namespace may not be deleted`);
  }
  const finalizers = [...new Set([...(metadata.finalizers ?? []), NAMESPACE_FINALIZER])];
  const terminating: Namespace = {
    ...(object as Namespace),
    metadata: { ...metadata, finalizers },
    status: { phase: "Terminating" },
  };
  return terminating;
}
