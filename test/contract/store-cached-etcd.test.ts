import { describe, expect, it } from "vitest";
import type { Store } from "../../src/store/index.ts";
import { emptyStore, etcdWorld } from "./etcd-world.ts";
import { describeStore } from "./store.ts";
import { describeStoreModel } from "./store-model.ts";
import { StrictClient } from "./strict-client.ts";

const CLIENTS = 254;

const world = etcdWorld();
const open = () => emptyStore(world, world.openCached);

describeStore("watch cache over etcd", open);
describeStoreModel("watch cache over etcd", open);

describe("a watch cache over etcd", () => {
  const etcdWatchers = async (): Promise<number> => {
    const answer = await fetch(`http://${world.cluster().endpoints[0]}/metrics`);
    return Number(/^etcd_debugging_mvcc_watcher_total (\d+)$/m.exec(await answer.text())?.[1]);
  };
  const follow = (store: Store, signal: AbortSignal): StrictClient[] =>
    Array.from({ length: CLIENTS }, () => new StrictClient(store, "/p/", signal));

  it(`is one watcher in etcd for its ${CLIENTS} clients, who are all told the truth`, async () => {
    world.cluster().wipe();
    const stop = new AbortController();
    const clients = follow(await world.openCached(), stop.signal);
    const writer = await world.openStore();
    for (let index = 0; index < 50; index += 1) {
      await writer.transact([], [{ kind: "put", key: `/p/${index % 7}`, value: String(index) }]);
    }
    const { entries } = await writer.range("/p/");
    const expected = new Map(entries.map(({ key, value }) => [key, value]));
    for (const { view } of clients) await expect.poll(() => new Map([...view].sort())).toEqual(expected);
    expect(await etcdWatchers()).toBe(1);
    expect(clients.flatMap(({ complaints }) => complaints)).toEqual([]);
    // Control: without the cache each client is one.
    follow(writer, stop.signal);
    await expect.poll(etcdWatchers, { timeout: 20_000 }).toBe(1 + CLIENTS);
    stop.abort();
  });
});
