import { hasCode } from "../foundation/index.ts";
import type { KubeObject } from "../model/index.ts";
import type { ObjectReference, Resources } from "./resources.ts";

/** The object; undefined when it is not there. @throws ParasausError what `get` throws but `NotFound` */
export async function findObject(
  resources: Pick<Resources, "get">,
  reference: ObjectReference,
): Promise<KubeObject | undefined> {
  try {
    return await resources.get(reference);
  } catch (failure) {
    if (hasCode(failure, "NotFound")) return undefined;
    throw failure;
  }
}
