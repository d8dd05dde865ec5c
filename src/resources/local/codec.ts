import type { KubeObject } from "../../model/index.ts";
import type { StoreEntry } from "../../store/index.ts";

/** An object as it is stored: its revision is the entry's, not in the text. */
export function encodeObject(object: KubeObject): string {
  const { resourceVersion, ...metadata } = object.metadata;
  return JSON.stringify({ ...object, metadata });
}

/**
 * Reads stored objects, each version once: the store hands out one entry object for one version of a key, and
 * everybody who asks shares one frozen object for it. What nobody holds any more, the garbage collector takes.
 */
export class ObjectReader {
  readonly #objects = new WeakMap<StoreEntry, KubeObject>();

  read(entry: StoreEntry): KubeObject {
    const known = this.#objects.get(entry);
    if (known) return known;
    const object = decodeObject(entry);
    this.#objects.set(entry, object);
    return object;
  }
}

function decodeObject({ value, createRevision, modRevision }: StoreEntry): KubeObject {
  const object = JSON.parse(value);
  object.metadata.resourceVersion = String(modRevision);
  // An Operation is written together with the change that it records, so that revision is its own.
  if (object.kind === "Operation") object.spec.revision = String(createRevision);
  return freezeDeep(object);
}

/** The object as it was last, at the revision that ended it. */
export function atRevision(object: KubeObject, revision: number): KubeObject {
  return freezeDeep({ ...object, metadata: { ...object.metadata, resourceVersion: String(revision) } });
}

/** Freezes an object that many share. */
export function freezeDeep<T>(value: T): T {
  if (typeof value !== "object" || value === null || Object.isFrozen(value)) return value;
  Object.freeze(value);
  for (const field of Object.values(value)) freezeDeep(field);
  return value;
}
