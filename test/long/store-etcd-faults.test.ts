import { readFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { type EtcdNetwork, type NetworkedMember, startEtcdNetwork } from "../lab/etcd.ts";
import { canMakeNamespaces, type Namespace } from "../lab/namespaces.ts";
import { cutNetwork } from "../lab/network-cut.ts";
import { type Remote, startRemote } from "../lab/remote.ts";

const KILLS = Number(process.env["PARASAUS_ETCD_KILLS"] ?? 2);
const CUTS = Number(process.env["PARASAUS_ETCD_CUTS"] ?? 1);
const PAUSES = Number(process.env["PARASAUS_ETCD_PAUSES"] ?? 1);
const PAUSE_MS = Number(process.env["PARASAUS_ETCD_PAUSE_MS"] ?? 4_000);
const BACKLOG = Number(process.env["PARASAUS_ETCD_BACKLOG"] ?? 1_200);
const WRITERS = 6;
/** As docs/reference/store.md recommends where members are near each other. */
const ELECTION_MS = 500;
const MOST_GAP_MS = 2_500;
const PATIENCE = { timeout: 30_000, interval: 50 };
const WATCH_TIMEOUT_MS = 30_000;
/** Longer than a dead connection may go unnoticed. */
const DEAD_CONNECTION_MS = 9_000;

interface WriterReport {
  readonly acknowledged: number;
  readonly lost: number;
  readonly unknown: number;
  readonly refused: number;
  readonly longestGapMs: number;
}

interface WatchReport {
  readonly behind: number;
  readonly missing: number;
  readonly surplus: number;
  readonly events: number;
  readonly relists: number;
  readonly faults: readonly string[];
}

const WHOLE = { behind: 0, missing: 0, surplus: 0, faults: [] };

describe.skipIf(!canMakeNamespaces())("an etcd cluster of three, cut and killed (needs root)", () => {
  let network: EtcdNetwork;
  beforeAll(async () => {
    network = await startEtcdNetwork({ electionMs: ELECTION_MS });
  });
  afterAll(() => network[Symbol.asyncDispose]());

  /** Keys of each test for itself: what earlier ones wrote would be read with every list. */
  let testCount = 0;
  beforeEach(() => {
    testCount += 1;
  });
  const client = (namespace: Namespace = network.clients, endpoints = network.endpoints) =>
    startRemote(namespace, "store-client.ts", [endpoints.join(","), `/paratest/${testCount}/`]);
  const report = async (remote: Remote) => (await remote.call("stopWriters")) as WriterReport;
  const acknowledgedBy = async (remote: Remote) => (await remote.call("acknowledged")) as number;
  const watchReport = async (remote: Remote) =>
    (await remote.call("watchReport", WATCH_TIMEOUT_MS)) as WatchReport;

  /** Waits until there is another leader and writes go on, and for both says that it was so. */
  async function expectTakeOver(remote: Remote, deposed: NetworkedMember): Promise<void> {
    const others = async () => (await network.leader()).name;
    await expect.poll(others, PATIENCE).not.toBe(deposed.name);
    const before = await acknowledgedBy(remote);
    await expect.poll(() => acknowledgedBy(remote), PATIENCE).toBeGreaterThan(before + 100);
  }

  /** Writers and a watch at work, `rounds` faults, and then: what was lost? */
  async function expectNothingLost(
    name: string,
    rounds: number,
    fault: (leader: NetworkedMember, remote: Remote) => Promise<void>,
  ): Promise<void> {
    const remote = await client();
    try {
      await remote.call("startWatch");
      await remote.call("startWriters", WRITERS, 100);
      await expect.poll(() => acknowledgedBy(remote), PATIENCE).toBeGreaterThan(100);
      for (let round = 0; round < rounds; round += 1) await fault(await network.leader(), remote);
      const written = await report(remote);
      const watched = await watchReport(remote);
      const { acknowledged, lost, unknown, refused, longestGapMs } = written;
      process.stdout.write(
        `${name}: ${rounds} faults, ${acknowledged} acknowledged, ${lost} lost, ${unknown} unknown, ${refused} refused, ` +
          `longest gap ${Math.round(longestGapMs)} ms; watch: ${watched.events} events, ${watched.missing} missing, ` +
          `${watched.faults.length} wrong, ${watched.relists} lists anew\n`,
      );
      expect(lost).toBe(0);
      expect(longestGapMs).toBeLessThan(MOST_GAP_MS);
      // The control: what the fault did was felt.
      expect(longestGapMs).toBeGreaterThan(200);
      expect(watched).toMatchObject({ ...WHOLE, relists: 0 });
      expect(watched.events).toBeGreaterThanOrEqual(acknowledged);
    } finally {
      await remote.end();
    }
  }

  it("would see one lost write and one missing event (control of the counting)", async () => {
    const remote = await client();
    await remote.call("startWatch");
    await remote.call("startWriters", 1, 100);
    await expect.poll(() => acknowledgedBy(remote), PATIENCE).toBeGreaterThan(10);
    expect(await report(remote)).toMatchObject({ lost: 0 });
    expect(await watchReport(remote)).toMatchObject(WHOLE);
    await remote.call("sabotage");
    expect(await report(remote)).toMatchObject({ lost: 1 });
    expect(await watchReport(remote)).toMatchObject({ missing: 1 });
    await remote.end();
  });

  it(`loses no acknowledged write and no event in ${KILLS} kills of the leader under ${WRITERS} writers`, async () => {
    await expectNothingLost("kill -9", KILLS, async (leader, remote) => {
      const pid = leader.pid();
      await leader.kill();
      expect(() => process.kill(pid, 0)).toThrow("ESRCH");
      await expectTakeOver(remote, leader);
      leader.start();
      await expect.poll(() => answers(leader), PATIENCE).toBe(true);
    });
  });

  it(`loses none when the leader is cut off from everybody, ${CUTS} times`, async () => {
    await expectNothingLost("cut off", CUTS, async (leader, remote) => {
      const cut = leader.cutOff();
      await expectTakeOver(remote, leader);
      expect(cut.mend()).toBeGreaterThan(10);
      await expect.poll(() => answers(leader), PATIENCE).toBe(true);
    });
  });

  it(`loses none when the leader is cut off from its members only, ${CUTS} times, and nobody writes to it`, async () => {
    await expectNothingLost("minority", CUTS, async (leader, remote) => {
      const alone = await client(network.clients, [leader.endpoint]);
      expect(await alone.call("write", "control", "before")).toMatchObject({ succeeded: true });
      const cut = leader.cutOff({ spareClients: true });
      await expectTakeOver(remote, leader);
      await expect(alone.call("write", "control", "during")).rejects.toThrow(/Unavailable|Cannot/);
      expect(cut.mend()).toBeGreaterThan(10);
      await expect
        .poll(() => alone.call("write", "control", "after").catch(() => undefined), PATIENCE)
        .toMatchObject({ succeeded: true });
      await alone.end();
    });
  });

  it(`loses none when the leader stands still for ${PAUSE_MS} ms, ${PAUSES} times`, async () => {
    await expectNothingLost("SIGSTOP", PAUSES, async (leader, remote) => {
      leader.pause();
      const startedMs = performance.now();
      await expectTakeOver(remote, leader);
      await sleep(Math.max(0, PAUSE_MS - (performance.now() - startedMs)));
      expect(readFileSync(`/proc/${leader.pid()}/stat`, "utf8")).toMatch(/\) T /);
      leader.resume();
      await expect.poll(() => answers(leader), PATIENCE).toBe(true);
    });
  });

  it(`delivers a backlog of ${BACKLOG} values of 8 kB after a cut, with three more cuts in the middle`, async () => {
    const place = network.joinClient("watcher");
    const watcher = await client(place);
    const writer = await client();
    await watcher.call("startWatch");
    await writer.call("write", "first", "1");
    await expect.poll(() => watcher.call("watchedEvents"), PATIENCE).toBe(1);
    let cut = cutNetwork(place);
    for (let start = 0; start < BACKLOG; start += 50) {
      const keys = Array.from(
        { length: Math.min(50, BACKLOG - start) },
        (_, index) => `backlog/${start + index}`,
      );
      await Promise.all(keys.map((key) => writer.call("write", key, key.padEnd(8_000, "x"))));
    }
    await sleep(DEAD_CONNECTION_MS);
    expect(await watcher.call("watchedEvents")).toBe(1);
    expect(cut.mend()).toBeGreaterThan(3);
    for (let round = 0; round < 3; round += 1) {
      await sleep(150);
      cut = cutNetwork(place);
      await sleep(400);
      cut.mend();
    }
    const seen = await watchReport(watcher);
    process.stdout.write(
      `backlog: ${BACKLOG} written while cut off, ${seen.missing} missing, ${seen.faults.length} wrong, ${seen.relists} lists anew\n`,
    );
    expect(seen).toMatchObject({ ...WHOLE, relists: 0, events: BACKLOG + 1 });
    await Promise.all([watcher.end(), writer.end()]);
  });

  it("ends a watch that compaction overtook, and what is listed then is whole", async () => {
    const place = network.joinClient("behind");
    const watcher = await client(place);
    const writer = await client();
    await watcher.call("startWatch");
    // The control: nothing is compacted yet, and the watch goes on over a cut.
    const first = cutNetwork(place);
    for (let index = 0; index < 20; index += 1) await writer.call("write", `compacted/${index}`, "1");
    first.mend();
    expect(await watchReport(watcher)).toMatchObject({ ...WHOLE, relists: 0 });
    const second = cutNetwork(place);
    for (let index = 0; index < 20; index += 1) await writer.call("remove", `compacted/${index}`);
    const revision = (await writer.call("revision")) as number;
    await writer.call("compact", revision);
    await writer.call("write", "compacted/after", "1");
    // The connection must be given up: what lies in its buffers would still be delivered, and nothing were overtaken.
    await sleep(DEAD_CONNECTION_MS);
    expect(second.mend()).toBeGreaterThan(0);
    expect(await watchReport(watcher)).toMatchObject({ ...WHOLE, relists: 1 });
    await Promise.all([watcher.end(), writer.end()]);
  });

  it("stays whole while history is compacted up to now all the time", async () => {
    const remote = await client();
    await remote.call("startWatch");
    await remote.call("startWriters", 2, 100);
    const compactions = 30;
    for (let compaction = 0; compaction < compactions; compaction += 1) {
      const revision = (await remote.call("revision")) as number;
      await remote.call("compact", revision);
      await remote.call("remove", `none/${compaction}`);
      await sleep(100);
    }
    const { acknowledged, lost } = await report(remote);
    const seen = await watchReport(remote);
    process.stdout.write(
      `compaction: ${compactions} times under ${acknowledged} writes, ${seen.relists} lists anew, ${seen.missing} missing\n`,
    );
    expect(acknowledged).toBeGreaterThan(compactions);
    expect(lost).toBe(0);
    expect(seen).toMatchObject(WHOLE);
    await remote.end();
  });

  function answers({ endpoint }: NetworkedMember): boolean {
    try {
      network.ctl(["endpoint", "health"], [endpoint]);
      return true;
    } catch {
      return false;
    }
  }
});
