import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type EtcdNetwork, startEtcdNetwork } from "../lab/etcd.ts";
import type { Fault } from "../lab/linearizability.ts";
import { canMakeNamespaces } from "../lab/namespaces.ts";
import { type Remote, startRemote } from "../lab/remote.ts";

const CLIENTS = 8;
const OPERATIONS = Number(process.env["PARASAUS_LINEAR_OPERATIONS"] ?? 2_000);
const FAULTS = Number(process.env["PARASAUS_LINEAR_FAULTS"] ?? 1);
const PATIENCE = { timeout: 120_000, interval: 50 };

interface Report {
  readonly operations: number;
  readonly keys: number;
  readonly done: number;
  readonly refused: number;
  readonly unknown: number;
  readonly faults: readonly Fault[];
}

describe.skipIf(!canMakeNamespaces())("compare-and-swap on an etcd cluster of three (needs root)", () => {
  let network: EtcdNetwork;
  beforeAll(async () => {
    network = await startEtcdNetwork();
  });
  afterAll(() => network[Symbol.asyncDispose]());

  const reach = (remote: Remote, count: number) =>
    expect.poll(() => remote.call("operations"), PATIENCE).toBeGreaterThan(count);

  /** Clients at work, a fault after every share of the operations, and what they were told. */
  async function run(
    name: string,
    mistake: string,
    total: number,
    fault?: () => Promise<void>,
  ): Promise<Report> {
    const remote = await startRemote(network.clients, "store-history.ts", [network.endpoints.join(",")]);
    try {
      await remote.call("start", CLIENTS, mistake);
      for (let round = 1; fault && round <= FAULTS; round += 1) {
        await reach(remote, (total * round) / (FAULTS + 1));
        await fault();
      }
      await reach(remote, total);
      const report = (await remote.call("stop")) as Report;
      const { operations, keys, done, refused, unknown, faults } = report;
      process.stdout.write(
        `${name}: ${operations} operations of ${CLIENTS} clients on ${keys} keys, ${done} swaps done, ${refused} refused, ` +
          `${unknown} unknown, ${faults.length} impossible\n`,
      );
      return report;
    } finally {
      await remote.end();
    }
  }

  function expectOneRegister({ operations, done, refused, unknown, faults }: Report): void {
    expect(faults).toEqual([]);
    // The control of the load: swaps were done and lost against each other, and few ended in doubt.
    expect(Math.min(done, refused)).toBeGreaterThan(operations / 20);
    expect(unknown).toBeLessThan(operations / 20);
  }

  it("answers as one register would while the leader is killed", async () => {
    const report = await run("leader killed", "none", OPERATIONS, async () => {
      const leader = await network.leader();
      await leader.kill();
      await expect.poll(async () => (await network.leader()).name, PATIENCE).not.toBe(leader.name);
      leader.start();
    });
    expectOneRegister(report);
  });

  it("answers as one register would while the leader is cut off", async () => {
    const report = await run("leader cut off", "none", OPERATIONS, async () => {
      const leader = await network.leader();
      const cut = leader.cutOff();
      await expect.poll(async () => (await network.leader()).name, PATIENCE).not.toBe(leader.name);
      expect(cut.mend()).toBeGreaterThan(10);
    });
    expectOneRegister(report);
  });

  it("answers as one register would while the leader stands still", async () => {
    const report = await run("leader stopped", "none", OPERATIONS, async () => {
      const leader = await network.leader();
      leader.pause();
      await expect.poll(async () => (await network.leader()).name, PATIENCE).not.toBe(leader.name);
      leader.resume();
    });
    expectOneRegister(report);
  });

  it.each(["stale reads", "blind swaps"])("would be caught at %s (control)", async (mistake) => {
    const { faults } = await run(`control, ${mistake}`, mistake, 1_000);
    expect(faults.length).toBeGreaterThan(0);
  });
});
