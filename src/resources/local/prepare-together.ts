import type { Store } from "../../store/index.ts";
import type { ObjectReference, WriteOptions } from "../resources.ts";
import { encodeObject, type ObjectReader } from "./codec.ts";
import { keyOf } from "./keys.ts";
import type { ObjectRules } from "./object-rules.ts";
import { refuseOtherVersion, refuseReadOnly } from "./preconditions.ts";
import { prepareUpdate } from "./prepare.ts";
import { entryOf, writeOf } from "./stored-entry.ts";
import type { PreparedWrite, TogetherWrite } from "./write-together.ts";

/** Where objects are, and what becomes of them. */
export interface PreparationSource {
  readonly store: Store;
  readonly reader: ObjectReader;
  readonly rules: ObjectRules;
}

/**
 * What one of several writes comes to, from what is stored now.
 *
 * @throws ParasausError as `update`, `create` and `delete`
 */
export async function prepareWrite(
  source: PreparationSource,
  write: TogetherWrite,
  options: WriteOptions,
): Promise<PreparedWrite> {
  const { store, reader, rules } = source;
  if (write.isRemoved) return prepareRemoval(source, write.reference, options);
  const { reference, edit } = write;
  const { definition, namespace } = reference;
  refuseReadOnly(definition);
  const key = keyOf(reference);
  const entry = await store.get(key);
  if (entry) {
    const previous = reader.read(entry);
    const input = edit(previous);
    refuseOtherVersion(reference, input, previous);
    const next = prepareUpdate(definition, input, previous, options);
    if (next !== previous) await rules.admit({ definition, verb: "update", previous, next, options });
    const conditions = [{ key, modRevision: entry.modRevision }];
    const put = { kind: "put", key, value: encodeObject(next) } as const;
    return { reference, previous, next, conditions, writes: [put] };
  }
  const next = await rules.draft(definition, edit(undefined), options);
  const claim = await rules.claimNamespace(namespace);
  return {
    ...{ reference, next },
    conditions: [{ key, modRevision: 0 }, ...claim.conditions],
    writes: [{ kind: "put", key, value: encodeObject(next) }, ...claim.writes],
  };
}

async function prepareRemoval(
  { store, reader, rules }: PreparationSource,
  reference: ObjectReference,
  options: WriteOptions,
): Promise<PreparedWrite> {
  const entry = await entryOf(store, reference);
  const previous = reader.read(entry);
  const next = await rules.leaving(reference, previous, options);
  const { key, modRevision } = entry;
  return { reference, previous, next, conditions: [{ key, modRevision }], writes: [writeOf(key, next)] };
}
