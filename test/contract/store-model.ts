import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { hasCode } from "../../src/foundation/index.ts";
import type {
  Store,
  StoreEntry,
  StoreWatchMessage,
  StoreWrite,
  TransactionResult,
} from "../../src/store/index.ts";
import type { StoreUnderTest } from "./store.ts";

type Step =
  | {
      readonly kind: "transact";
      readonly writes: readonly StoreWrite[];
      readonly condition: { readonly key: string; readonly isRight: boolean } | undefined;
    }
  | { readonly kind: "compact"; readonly back: number }
  | { readonly kind: "read"; readonly back: number };

const key = fc.constantFrom("/a", "/a/1", "/a/2", "/b", "/b/1");
const write: fc.Arbitrary<StoreWrite> = fc.oneof(
  fc.record({ kind: fc.constant("put" as const), key, value: fc.string({ maxLength: 5 }) }),
  fc.record({ kind: fc.constant("delete" as const), key }),
);
const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      kind: fc.constant("transact" as const),
      writes: fc.uniqueArray(write, { selector: (each) => each.key, maxLength: 4 }),
      condition: fc.option(fc.record({ key, isRight: fc.boolean() }), { nil: undefined }),
    }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("compact" as const), back: fc.nat(10) }) },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant("read" as const), back: fc.nat(20) }) },
);

interface Version {
  readonly value: string;
  readonly createRevision: number;
  readonly modRevision: number;
}

/** The plainest store there is: a copy of everything for every revision. */
class Model {
  readonly snapshots: Map<string, Version>[];
  readonly first: number;
  compacted: number;

  constructor(revision: number) {
    this.first = revision;
    this.compacted = revision;
    this.snapshots = [new Map()];
  }

  get revision(): number {
    return this.first + this.snapshots.length - 1;
  }

  at(revision: number): Map<string, Version> {
    return this.snapshots[revision - this.first] ?? new Map();
  }

  transact(writes: readonly StoreWrite[], holds: boolean): TransactionResult {
    const next = new Map(this.at(this.revision));
    const revision = this.revision + 1;
    const effective = holds ? writes.filter((each) => each.kind === "put" || next.has(each.key)) : [];
    for (const each of effective) {
      const createRevision = next.get(each.key)?.createRevision ?? revision;
      if (each.kind === "put")
        next.set(each.key, { value: each.value, createRevision, modRevision: revision });
      else next.delete(each.key);
    }
    if (effective.length > 0) this.snapshots.push(next);
    return { succeeded: holds, revision: this.revision };
  }
}

/** Compares a store with the plainest one, step by step. */
export function describeStoreModel(name: string, open: () => Promise<StoreUnderTest>): void {
  describe(`Store model: ${name}`, () => {
    it("answers as a store that keeps a copy of everything, before and after a restart", async () => {
      await fc.assert(
        fc.asyncProperty(fc.array(step, { minLength: 5, maxLength: 60 }), async (steps) => {
          const { store, reopen } = await open();
          const model = new Model(await store.revision());
          for (const each of steps) await compare(store, model, each);
          await expectHistory(store, model);
          await expectHistory(await reopen(), model);
        }),
        { numRuns: Number(process.env["PARASAUS_STORE_RUNS"] ?? 15) },
      );
    });
  });
}

async function compare(store: Store, model: Model, step: Step): Promise<void> {
  const revision = model.revision - ("back" in step ? step.back : 0);
  if (step.kind === "transact") {
    await compareTransaction(store, model, step);
  } else if (step.kind === "read") {
    if (revision >= model.first) await expectRange(store, model, revision);
  } else if (revision >= model.first) {
    await store.compact(revision);
    model.compacted = Math.max(model.compacted, revision);
  }
}

async function compareTransaction(
  store: Store,
  model: Model,
  { writes, condition }: Extract<Step, { kind: "transact" }>,
): Promise<void> {
  const actual = condition ? (model.at(model.revision).get(condition.key)?.modRevision ?? 0) : 0;
  const conditions = condition
    ? [{ key: condition.key, modRevision: actual + (condition.isRight ? 0 : 1) }]
    : [];
  const expected = model.transact(writes, condition?.isRight ?? true);
  expect(await store.transact(conditions, writes)).toEqual(expected);
}

async function expectRange(store: Store, model: Model, revision: number): Promise<void> {
  if (revision < model.compacted) {
    const failure = await store.range("/", { revision }).catch((error: unknown) => error);
    expect(hasCode(failure, "Expired")).toBe(true);
    return;
  }
  for (const prefix of ["/", "/a", "/a/", "/b/1"]) {
    const under = [...model.at(revision)].filter(([each]) => each.startsWith(prefix)).sort();
    const { entries, count } = await store.range(prefix, { revision });
    expect(entries).toEqual(under.map(([each, version]) => ({ key: each, ...version })));
    expect(count).toBe(under.length);
    expect(await pagesOf(store, prefix, revision)).toEqual({ entries, counts: new Set([count]) });
  }
}

/** The same range in pages of two. */
async function pagesOf(store: Store, prefix: string, revision: number) {
  const entries: StoreEntry[] = [];
  const counts = new Set<number>();
  for (let more = true; more; ) {
    const after = entries.at(-1)?.key;
    const page = await store.range(prefix, { revision, limit: 2, ...(after === undefined ? {} : { after }) });
    entries.push(...page.entries);
    counts.add(page.count);
    more = page.more;
  }
  return { entries, counts };
}

/** Replays the watch over the oldest kept snapshot: each message must lead to the model's next snapshot. */
async function expectHistory(store: Store, model: Model): Promise<void> {
  for (let revision = model.first; revision <= model.revision; revision += 1) {
    await expectRange(store, model, revision);
  }
  const stop = new AbortController();
  const messages = store.watch("/", model.compacted + 1, stop.signal)[Symbol.asyncIterator]();
  for (let revision = model.compacted + 1; revision <= model.revision; revision += 1) {
    const { value } = await messages.next();
    expect(replay(model.at(revision - 1), value)).toEqual(model.at(revision));
    expect(value.revision).toBe(revision);
  }
  stop.abort();
}

function replay(before: ReadonlyMap<string, Version>, message: StoreWatchMessage): Map<string, Version> {
  const after = new Map(before);
  for (const event of message.kind === "events" ? message.events : []) {
    const each = event.kind === "put" ? event.entry.key : event.key;
    expect(event.previous?.value).toBe(before.get(each)?.value);
    if (event.kind === "delete") after.delete(each);
    else {
      const { value, createRevision, modRevision } = event.entry;
      after.set(each, { value, createRevision, modRevision });
    }
  }
  return after;
}
