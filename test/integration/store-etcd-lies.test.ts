import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Store, StoreWatchMessage } from "../../src/store/index.ts";
import { type EtcdCluster, startEtcd } from "../lab/etcd.ts";
import { type LyingEtcd, startLyingEtcd, type Tamper } from "../lab/lying-etcd.ts";
import { openLabStore } from "../lab/open-lab-store.ts";

const WRITES = 12;
const MOST_DETECTION_MS = 5_000;

let cluster: EtcdCluster;
beforeAll(async () => {
  cluster = await startEtcd();
});
afterAll(() => cluster[Symbol.asyncDispose]());

const open = (endpoint: string) => openLabStore([endpoint]);

/** Message 0 says that the watch was made; 1 and on are events, one revision each. */
const LIES: readonly (readonly [string, () => Tamper])[] = [
  ["leaves one out", () => (message, index) => (index === 3 ? [] : [message])],
  ["sends one twice", () => (message, index) => (index === 3 ? [message, message] : [message])],
  [
    "sends two in the wrong order",
    () => {
      let kept: Buffer | undefined;
      return (message, index) => {
        if (index === 3) kept = message;
        return index === 3 ? [] : index === 4 && kept ? [message, kept] : [message];
      };
    },
  ],
  [
    "begins again from an old one",
    () => {
      const told: Buffer[] = [];
      return (message, index) => {
        told.push(message);
        return index === 5 ? told.slice(1) : [message];
      };
    },
  ],
  ["says nothing any more", () => (message, index) => (index >= 3 ? [] : [message])],
];

describe("a member that lies about what happened", () => {
  it.each(LIES)("%s: it is left, and every event comes once, in order", async (_, lie) => {
    await using liar = await startLyingEtcd(cluster.endpoints[0] ?? "", (stream) =>
      stream === 1 ? lie() : undefined,
    );
    await using store = await open(liar.endpoint);
    const from = (await store.revision()) + 1;
    const { values, longestMs } = await writeAndFollow(store, liar, from);
    expect(values).toEqual(Array.from({ length: WRITES }, (_each, index) => String(index)));
    expect(longestMs).toBeLessThan(MOST_DETECTION_MS);
    expect(liar.streams()).toBe(2);
    expect(liar.lies()).toBeGreaterThan(0);
  });

  it("ends with Expired where every stream leaves out the same one, so that its reader lists again", async () => {
    await using liar = await startLyingEtcd(
      cluster.endpoints[0] ?? "",
      () => (message, index) => (index === 1 ? [] : [message]),
    );
    await using store = await open(liar.endpoint);
    const from = (await store.revision()) + 1;
    for (const value of ["1", "2", "3"]) {
      await store.transact([], [{ kind: "put", key: `/lie/${value}`, value }]);
      // A message of its own for each, once the watch is there.
      await sleep(1);
    }
    const messages = store.watch("/lie/", from, AbortSignal.timeout(30_000))[Symbol.asyncIterator]();
    const writes = (async () => {
      for (let count = 0; count < 20; count += 1) {
        await store.transact([], [{ kind: "put", key: "/lie/more", value: String(count) }]);
        await sleep(200);
      }
    })();
    await expect(messages.next()).rejects.toMatchObject({ code: "Expired" });
    expect(liar.streams()).toBeGreaterThan(1);
    await writes;
  });

  it("tells the truth, and nothing happens (control)", async () => {
    await using liar = await startLyingEtcd(cluster.endpoints[0] ?? "", () => undefined);
    await using store = await open(liar.endpoint);
    const from = (await store.revision()) + 1;
    const { values } = await writeAndFollow(store, liar, from);
    expect(values).toHaveLength(WRITES);
    expect([liar.streams(), liar.lies()]).toEqual([1, 0]);
  });
});

/** Writes one revision after the other while a watch follows. @returns what it saw, and its longest wait for the next event, ms */
async function writeAndFollow(
  store: Store,
  liar: LyingEtcd,
  from: number,
): Promise<{ values: string[]; longestMs: number }> {
  const stop = new AbortController();
  const values: string[] = [];
  let longestMs = 0;
  const follow = async () => {
    let lastMs = performance.now();
    for await (const message of store.watch("/lie/", from, stop.signal)) {
      const found = valuesOf(message);
      values.push(...found);
      if (found.length === 0) continue;
      longestMs = Math.max(longestMs, performance.now() - lastMs);
      lastMs = performance.now();
      if (values.at(-1) === String(WRITES - 1)) return;
    }
  };
  const followed = follow();
  await expect.poll(() => liar.streams()).toBe(1);
  for (let index = 0; index < WRITES; index += 1) {
    await store.transact([], [{ kind: "put", key: `/lie/${index}`, value: String(index) }]);
    await sleep(20);
  }
  const late = setTimeout(() => stop.abort(), 20_000);
  await followed;
  clearTimeout(late);
  return { values, longestMs };
}

function valuesOf(message: StoreWatchMessage): string[] {
  const events = message.kind === "events" ? message.events : [];
  return events.map((event) => (event.kind === "put" ? event.entry.value : "deleted"));
}
