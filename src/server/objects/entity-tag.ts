import { createHash } from "node:crypto";
import { ParasausError } from "../../foundation/index.ts";
import { KEPT_ANNOTATIONS, type KubeObject } from "../../model/index.ts";

/** kubectl keeps more than what it applied last. */
const KUBECTL = "kubectl.kubernetes.io/";

/**
 * Names what a person has written of an object: its generation, and its labels and annotations, which raise none. What
 * controllers find out, such as verdicts, makes no other one.
 */
export function entityTagOf({ metadata }: KubeObject): string {
  const { uid = "", generation = 1, labels = {}, annotations = {} } = metadata;
  const own = Object.entries(annotations).filter(
    ([key]) => !KEPT_ANNOTATIONS.includes(key) && !key.startsWith(KUBECTL),
  );
  const told = JSON.stringify([uid, sorted(Object.entries(labels)), sorted(own)]);
  return `"${generation}-${createHash("sha256").update(told).digest("hex").slice(0, 12)}"`;
}

function sorted(entries: readonly (readonly [string, string])[]): readonly (readonly [string, string])[] {
  return entries.toSorted(([a], [b]) => (a < b ? -1 : 1));
}

/** What a write is on condition of. */
export interface Preconditions {
  /** Header `If-Match`. */
  readonly ifMatch?: string | undefined;
  /** Header `If-None-Match`; only `*` means anything. */
  readonly ifNoneMatch?: string | undefined;
}

/** @throws ParasausError `PreconditionFailed` that says what is there instead */
export function requirePreconditions(
  { ifMatch, ifNoneMatch }: Preconditions,
  current: KubeObject | undefined,
): void {
  const tag = current && entityTagOf(current);
  if (ifNoneMatch === "*" && tag !== undefined) {
    throw failed(`it is there, as ${tag}, and must not be`);
  }
  if (ifMatch === undefined) return;
  const wanted = ifMatch.split(",").map((each) => each.trim());
  if (tag !== undefined && (wanted.includes("*") || wanted.includes(tag))) return;
  throw failed(
    tag === undefined ? "it is not there" : `somebody has changed it: it is ${tag}, not ${ifMatch}`,
  );
}

function failed(why: string): ParasausError {
  return new ParasausError("PreconditionFailed", `Cannot write the object: ${why}`);
}
