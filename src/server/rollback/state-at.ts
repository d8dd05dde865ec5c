import type { Operation } from "../../model/index.ts";

/** One change of one object, as the record has it. */
export interface RecordedState {
  /** resourceVersion that the change made. */
  readonly revision: bigint;
  /** Absent: it was not there. */
  readonly before?: RecordedObject;
  /** Absent: it was deleted. */
  readonly after?: RecordedObject;
}

/** What an Operation keeps of an object: what a person sets, with secrets masked. */
export interface RecordedObject {
  readonly metadata?: {
    readonly labels?: Readonly<Record<string, string>>;
    readonly annotations?: Readonly<Record<string, string>>;
    readonly deletionTimestamp?: string;
  };
  readonly [field: string]: unknown;
}

/** Names an object in the record. */
export interface RecordedName {
  readonly kind: string;
  readonly namespace?: string;
  readonly name: string;
}

/** What an object was at a revision, as far as the record tells. */
export type PastState =
  | { readonly kind: "known"; readonly state: RecordedObject }
  /** It was not there. */
  | { readonly kind: "absent" }
  /** Nobody has changed it since the record begins. */
  | { readonly kind: "unrecorded" };

/** The changes of one object, oldest first, also those that were made together with another's. */
export function changesOf(operations: readonly Operation[], wanted: RecordedName): readonly RecordedState[] {
  const changes = operations.flatMap(({ spec }) => {
    if (["login", "logout", "refuse"].includes(spec.verb)) return [];
    const parts = [{ object: spec.object, before: spec.before, after: spec.after }, ...(spec.also ?? [])];
    return parts
      .filter(({ object }) => isSame(object, wanted))
      .map(({ before, after }): RecordedState => {
        const state = (value: unknown) => (value as RecordedObject | undefined) ?? undefined;
        const [was, is] = [state(before), state(after)];
        return {
          revision: BigInt(spec.revision),
          ...(was ? { before: was } : {}),
          ...(is && !is.metadata?.deletionTimestamp ? { after: is } : {}),
        };
      });
  });
  return changes.sort((a, b) => (a.revision < b.revision ? -1 : 1));
}

/** What the object was right after a revision. */
export function stateAt(changes: readonly RecordedState[], revision: bigint): PastState {
  const last = changes.filter((change) => change.revision <= revision).at(-1);
  if (last) return last.after ? { kind: "known", state: last.after } : { kind: "absent" };
  const [next] = changes;
  if (!next) return { kind: "unrecorded" };
  return next.before ? { kind: "known", state: next.before } : { kind: "absent" };
}

function isSame(object: Operation["spec"]["object"], wanted: RecordedName): boolean {
  return (
    object.kind === wanted.kind &&
    object.name === wanted.name &&
    (object.namespace ?? "") === (wanted.namespace ?? "")
  );
}
