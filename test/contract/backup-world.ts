import { expect } from "vitest";
import { ParasausError, systemClock } from "../../src/foundation/index.ts";
import { DEFINITIONS, type KubeObject, operationDefinition, poolDefinition } from "../../src/model/index.ts";
import { type Backup, decodeBackup } from "../../src/resources/backup/index.ts";
import type { Resources } from "../../src/resources/index.ts";
import {
  createLocalResources,
  type Epoch,
  ensureBuiltins,
  exportBackup,
  ORIGINAL_EPOCH,
  type RestoreOptions,
  readEpoch,
  restoreBackup,
} from "../../src/resources/local/index.ts";
import type { Store } from "../../src/store/index.ts";

const alice = { operator: "alice" };
export const REGISTRY = "/parasaus/registry/";

export function restore(store: Store, backup: Backup, more: Partial<RestoreOptions> = {}) {
  return restoreBackup({ store, backup, clock: systemClock, ...more });
}

export async function resourcesOf(store: Store, epoch?: Epoch): Promise<Resources> {
  const resources = createLocalResources({
    store,
    epoch: epoch ?? (await readEpoch(store)),
    clock: systemClock,
    autoCreateNamespaces: true,
  });
  if (!epoch) await ensureBuiltins(resources);
  return resources;
}

/** Fills an empty store, and says all that is needed of it, since the next one may take its place. */
export async function filled(store: Store, count: number) {
  const resources = await resourcesOf(store);
  await createPools(resources, count);
  const { resourceVersion, continue: token = "" } = await resources.list(poolDefinition, { limit: 1 });
  return { text: await backUp(store), before: await listAll(resources), version: resourceVersion, token };
}

export async function createPools(resources: Resources, count: number, prefix = "web"): Promise<void> {
  const create = (_: unknown, index: number) =>
    resources.create(
      poolDefinition,
      {
        metadata: { name: `${prefix}-${index}`, namespace: "shop", labels: { note: "a" } },
        spec: { members: [{ ip: "10.0.0.1", port: 80 }] },
      },
      { ...alice, reason: `合页 "${index}"\n` },
    );
  for (let at = 0; at < count; at += 50) {
    await Promise.all(Array.from({ length: Math.min(50, count - at) }, (_, index) => create(_, at + index)));
  }
}

export async function listAll(resources: Resources): Promise<readonly KubeObject[]> {
  const lists = await Promise.all(DEFINITIONS.map((definition) => resources.list(definition)));
  return lists.flatMap(({ items }) => items);
}

export function withoutVersion({
  metadata: { resourceVersion: _, ...metadata },
  ...rest
}: KubeObject): object {
  return { ...rest, metadata };
}

export function revisionsOfOperations(objects: readonly KubeObject[]): readonly unknown[] {
  const operations = objects.filter(({ kind }) => kind === operationDefinition.kind);
  return operations.map((each) => (each as KubeObject & { spec: { revision: string } }).spec.revision);
}

export async function backUp(store: Pick<Store, "range" | "get">): Promise<string> {
  return (await piecesOf(store, await readEpoch(store))).join("");
}

async function piecesOf(
  store: Pick<Store, "range">,
  epoch: Epoch,
  afterPiece: () => Promise<void> = () => Promise.resolve(),
): Promise<string[]> {
  const pieces: string[] = [];
  for await (const piece of exportBackup({ store, epoch, version: "0", now: new Date() })) {
    pieces.push(piece);
    await afterPiece();
  }
  return pieces;
}

export function decode(content: string | Uint8Array): Promise<Backup> {
  async function* whole(): AsyncGenerator<Uint8Array> {
    yield Buffer.from(content);
  }
  return decodeBackup(whole(), "test.backup");
}

/** Writes pairs of far apart keys, each pair in one transaction, again and again while they are backed up. */
export async function backUpUnderWrites(store: Store, read: Pick<Store, "range">, pairs: number) {
  const key = (side: "a" | "z", index: number) => `${REGISTRY}test/${side}/${String(index).padStart(4, "0")}`;
  let writes = 0;
  const write = async (index: number): Promise<void> => {
    const value = JSON.stringify({ count: writes });
    writes += 1;
    const puts = (["a", "z"] as const).map(
      (side) => ({ kind: "put", key: key(side, index), value }) as const,
    );
    await store.transact([], puts);
  };
  await Promise.all(Array.from({ length: pairs }, (_, index) => write(index)));
  writes = 0;
  let isDone = false;
  const writing = (async () => {
    for (let index = 0; !isDone; index += 7) await write(index % pairs);
  })();
  const everyPair = () =>
    Promise.all(Array.from({ length: 20 }, (_, index) => write(index * 30))).then(() => undefined);
  const pieces = await piecesOf(read, ORIGINAL_EPOCH, everyPair);
  isDone = true;
  await writing;
  const { entries } = await decode(pieces.join(""));
  const values = new Map(entries.map((entry) => [entry.key, entry.value]));
  const indexes = Array.from({ length: pairs }, (_, index) => index);
  const torn = indexes.filter((index) => values.get(key("a", index)) !== values.get(key("z", index))).length;
  expect(values.size).toBe(2 * pairs);
  return { torn, writes };
}

/** The first thing that a watch brings: the type of its event, or the code of its refusal. */
export async function firstOf(resources: Resources, resourceVersion: string): Promise<string> {
  const stop = new AbortController();
  try {
    for await (const event of resources.watch(poolDefinition, { resourceVersion, signal: stop.signal }))
      return event.type;
    return "nothing";
  } catch (failure) {
    return failure instanceof ParasausError ? failure.code : String(failure);
  } finally {
    stop.abort();
  }
}

export async function codeOf(work: () => Promise<unknown>): Promise<string | undefined> {
  try {
    await work();
    return undefined;
  } catch (failure) {
    return failure instanceof ParasausError ? failure.code : String(failure);
  }
}

export function delegate(store: Store): Store {
  return {
    revision: () => store.revision(),
    get: (key) => store.get(key),
    range: (prefix, options) => store.range(prefix, options),
    transact: (conditions, writes) => store.transact(conditions, writes),
    watch: (prefix, fromRevision, signal) => store.watch(prefix, fromRevision, signal),
    grantLease: (ttlSeconds) => store.grantLease(ttlSeconds),
    keepLeaseAlive: (leaseId) => store.keepLeaseAlive(leaseId),
    revokeLease: (leaseId) => store.revokeLease(leaseId),
    compact: (revision) => store.compact(revision),
    [Symbol.asyncDispose]: () => Promise.resolve(),
  };
}

export function countWrites(store: Store): { readonly store: Store; readonly count: () => number } {
  let count = 0;
  const transact: Store["transact"] = (conditions, writes) => {
    count += 1;
    return store.transact(conditions, writes);
  };
  return { store: { ...delegate(store), transact }, count: () => count };
}

/** A store whose disk goes after some transactions. */
export function failAfter(store: Store, count: number): Store {
  let left = count;
  const transact: Store["transact"] = (conditions, writes) => {
    left -= 1;
    if (left < 0) return Promise.reject(new ParasausError("Unavailable", "the disk is gone"));
    return store.transact(conditions, writes);
  };
  return { ...delegate(store), transact };
}

/** Copies with one bit flipped, and ones that end too early, in turns; the same ones in every run. */
export function* damagesOf(content: Buffer, count: number): Generator<Buffer> {
  let state = 20_261_126;
  const below = (limit: number): number => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * limit);
  };
  for (let number = 0; number < count; number += 1) {
    const at = below(content.length);
    if (number % 2 === 0) {
      yield content.subarray(0, at);
      continue;
    }
    const flipped = Buffer.from(content);
    flipped.writeUInt8(flipped.readUInt8(at) ^ (1 << below(8)), at);
    yield flipped;
  }
}
