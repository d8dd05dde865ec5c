import type { KubeObject } from "../model/index.ts";

/** The text that an object was read from. */
interface StoredText {
  /** JSON of the object without its resourceVersion. */
  readonly text: string;
  readonly resourceVersion: string;
}

/** The text with its resourceVersion; null where it is not certain that the metadata are where they seem to be. */
type Split = { readonly head: string; readonly tail: string } | null;

const STORED = Symbol("stored text");
const METADATA = '"metadata":{';

/** Hangs the text on an object that was read from it; nothing that copies or compares objects sees it. */
export function rememberText(object: KubeObject, stored: StoredText): void {
  Object.defineProperty(object, STORED, { value: { ...stored, split: undefined } });
}

/**
 * The JSON text of an object. Of one that was read from a store it is made of the stored text, without encoding anything:
 * who lists 35,000 objects for the 254th time pays for copying them. Where the revision goes is looked up once.
 */
export function textOf(object: KubeObject): string {
  const stored = (object as { readonly [STORED]?: StoredText & { split: Split | undefined } })[STORED];
  if (!stored) return JSON.stringify(object);
  stored.split ??= splitAtRevision(stored);
  return stored.split ? stored.split.head + stored.split.tail : JSON.stringify(object);
}

function splitAtRevision({ text, resourceVersion }: StoredText): Split {
  const at = text.indexOf(METADATA);
  // Before it are only `apiVersion` and `kind`, so it is the object's own, and no revision is in it yet.
  const isOwn = at > 0 && text.lastIndexOf("{", at - 1) === 0 && !text.includes('"resourceVersion"');
  const start = at + METADATA.length;
  if (!isOwn || text[start] === "}") return null;
  // The tail is no copy: it stands in the stored text.
  return { head: `${text.slice(0, start)}"resourceVersion":"${resourceVersion}",`, tail: text.slice(start) };
}
