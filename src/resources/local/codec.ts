import type { KubeObject, Operation } from "../../model/index.ts";
import type { StoreEntry } from "../../store/index.ts";
import { rememberText } from "../stored-text.ts";
import type { ResourceVersions } from "./resource-versions.ts";

/**
 * An object as it is stored: its revision is the entry's, not in the text. Metadata come before the rest, as Kubernetes has it
 * and as {@link rememberText} needs it.
 */
export function encodeObject(object: KubeObject): string {
  const { apiVersion, kind, metadata, ...content } = object;
  const { resourceVersion, ...kept } = metadata;
  return JSON.stringify({ apiVersion, kind, metadata: kept, ...content });
}

/**
 * Reads stored objects, each version once: the store hands out one entry object for one version of a key, and
 * everybody who asks shares one frozen object for it. What nobody holds any more, the garbage collector takes.
 */
export class ObjectReader {
  readonly #objects = new WeakMap<StoreEntry, KubeObject>();
  readonly #ended = new WeakMap<StoreEntry, KubeObject>();
  readonly versions: ResourceVersions;

  constructor(versions: ResourceVersions) {
    this.versions = versions;
  }

  read(entry: StoreEntry): KubeObject {
    const known = this.#objects.get(entry);
    if (known) return known;
    const object = decodeObject(entry, this.versions);
    this.#objects.set(entry, object);
    return object;
  }

  /** The object as it was last, at the revision that ended this version of it: one for everybody who watches. */
  readEnded(entry: StoreEntry, revision: number): KubeObject {
    const known = this.#ended.get(entry);
    if (known?.metadata.resourceVersion === this.versions.of(revision)) return known;
    const object = this.at(this.read(entry), revision);
    this.#ended.set(entry, object);
    return object;
  }

  /** The object as it is from `revision` on: the one that stored it or that ended it. */
  at(object: KubeObject, revision: number): KubeObject {
    const resourceVersion = this.versions.of(revision);
    return freezeDeep({ ...object, metadata: { ...object.metadata, resourceVersion } });
  }
}

function decodeObject(entry: StoreEntry, versions: ResourceVersions): KubeObject {
  const object = JSON.parse(entry.value);
  const resourceVersion = versions.of(entry.modRevision);
  object.metadata.resourceVersion = resourceVersion;
  if (object.kind === "Operation") object.spec.revision = revisionOfOperation(object, entry, versions);
  else rememberText(object, { text: entry.value, resourceVersion });
  return freezeDeep(object);
}

/** An Operation is written together with the change that it records, so that revision is its own; a backup wrote it down. */
function revisionOfOperation(
  { spec }: Operation,
  { createRevision }: StoreEntry,
  versions: ResourceVersions,
): string {
  return spec.revision === "" ? versions.of(createRevision) : spec.revision;
}

/** Freezes an object that many share. */
export function freezeDeep<T>(value: T): T {
  if (typeof value !== "object" || value === null || Object.isFrozen(value)) return value;
  Object.freeze(value);
  for (const field of Object.values(value)) freezeDeep(field);
  return value;
}
