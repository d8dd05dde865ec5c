import type { KubeObject } from "../../model/index.ts";
import type { Store, StoreEntry, StoreWrite } from "../../store/index.ts";
import type { ObjectReference } from "../resources.ts";
import { encodeObject } from "./codec.ts";
import { keyOf, notFound } from "./keys.ts";
import { isReleased } from "./preconditions.ts";

/** Where an object lies in the store, and what is there. @throws ParasausError `NotFound` */
export async function entryOf(store: Store, reference: ObjectReference): Promise<StoreEntry> {
  const entry = await store.get(keyOf(reference));
  if (!entry) throw notFound(reference);
  return entry;
}

/** The write that stores the next version of an object; one that waits for its last finalizer goes with it. */
export function writeOf(key: string, next: KubeObject): StoreWrite {
  return isReleased(next) ? { kind: "delete", key } : { kind: "put", key, value: encodeObject(next) };
}
