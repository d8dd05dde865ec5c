import { hasCode } from "../../foundation/index.ts";
import type { KubeObject } from "../../model/index.ts";
import {
  findObject,
  type ObjectReference,
  type Resources,
  type WriteOptions,
} from "../../resources/index.ts";

const MOST_ATTEMPTS = 8;

/** One read-modify-write of one object. */
export interface ObjectChangeRequest<Kind extends KubeObject> {
  readonly resources: Resources;
  readonly reference: ObjectReference;
  /** The object as it is known; read afresh when somebody else has written meanwhile. */
  readonly known: Kind;
  /** Pure; returns undefined when there is nothing to change. Called again on the fresh object after a conflict. */
  readonly change: (object: Kind) => Kind | undefined;
  readonly write: WriteOptions;
}

/**
 * Changes an object that others write too: by its revision, so that nobody's write is lost.
 *
 * @returns the object as stored, or undefined when it is gone or another object has taken its name.
 * @throws ParasausError `Conflict` when others are faster eight times in a row
 */
export async function changeObject<Kind extends KubeObject>(
  request: ObjectChangeRequest<Kind>,
): Promise<Kind | undefined> {
  let current = request.known;
  for (let attempt = 0; ; attempt += 1) {
    const wanted = request.change(current);
    if (!wanted) return current;
    try {
      return (await request.resources.update(request.reference, wanted, request.write)) as Kind;
    } catch (failure) {
      if (!isWorthAnotherLook(failure) || attempt >= MOST_ATTEMPTS) throw failure;
    }
    const fresh = await findObject(request.resources, request.reference);
    if (fresh?.metadata.uid !== request.known.metadata.uid) return undefined;
    current = fresh as Kind;
  }
}

function isWorthAnotherLook(failure: unknown): boolean {
  return hasCode(failure, "Conflict") || hasCode(failure, "NotFound");
}
