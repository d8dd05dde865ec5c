import type { KubeObject } from "../../model/index.ts";
import type { StoreCondition, StoreWrite } from "../../store/index.ts";
import type { ObjectReference, WriteOptions } from "../resources.ts";
import { eventOf, type OperationStamp, recordEvent } from "./operations.ts";

/** One of several objects that are written in one transaction and recorded as one operation. */
export type TogetherWrite =
  | {
      readonly reference: ObjectReference;
      /** What it is to be; `current` is absent where it is not there. */
      readonly edit: (current: KubeObject | undefined) => unknown;
      readonly isRemoved?: never;
    }
  | { readonly reference: ObjectReference; readonly isRemoved: true };

/** How they are recorded, and what is written besides. */
export interface TogetherOptions extends WriteOptions {
  /** Default rollback. */
  readonly verb?: "rollback" | "update";
  /** What must hold besides; else the write is refused with `Conflict`. */
  readonly conditions?: readonly StoreCondition[];
  /** What is written in the same transaction; nothing when no object changes. */
  readonly also?: readonly StoreWrite[];
}

/** What one of them becomes. */
export interface PreparedWrite {
  readonly reference: ObjectReference;
  readonly previous?: KubeObject;
  readonly next: KubeObject;
  readonly conditions: readonly StoreCondition[];
  readonly writes: readonly StoreWrite[];
}

/** Those that change anything. */
export function changedOnly(prepared: readonly PreparedWrite[]): readonly PreparedWrite[] {
  return prepared.filter(({ previous, next }) => previous !== next);
}

/** One transaction's conditions, each key once: several objects may need the same namespace. */
export function joinConditions(prepared: readonly PreparedWrite[]): readonly StoreCondition[] {
  const byKey = new Map(prepared.flatMap(({ conditions }) => conditions).map((each) => [each.key, each]));
  return [...byKey.values()];
}

/** One transaction's writes, each key once. */
export function joinWrites(prepared: readonly PreparedWrite[]): readonly StoreWrite[] {
  const byKey = new Map(prepared.flatMap(({ writes }) => writes).map((each) => [each.key, each]));
  return [...byKey.values()];
}

/** The one operation of all of them: about the first, with the others beside it. */
export function recordTogether(
  prepared: readonly PreparedWrite[],
  options: TogetherOptions,
  stamp: OperationStamp,
): StoreWrite[] {
  const events = prepared.flatMap(({ previous, next }) => {
    const verb = previous ? "update" : "create";
    const event = eventOf({ verb, before: previous, after: next, options });
    return event ? [event] : [];
  });
  const [first, ...others] = events;
  if (!first) return [];
  const also = others.map(({ object, before, after }) => ({
    object,
    ...(before === undefined ? {} : { before }),
    ...(after === undefined ? {} : { after }),
  }));
  const verb = options.verb === "update" ? first.verb : "rollback";
  const event = { ...first, verb, ...(also.length > 0 ? { also } : {}) };
  return [recordEvent(event, stamp)];
}
