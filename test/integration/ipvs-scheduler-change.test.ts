import { availableParallelism } from "node:os";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { poolIn, program } from "../contract/driver-world.ts";
import { type IpvsWorld, missingForIpvs, openIpvsWorld } from "../lab/ipvs-world.ts";
import { type RequestsReport, startTraffic } from "../lab/traffic.ts";

const missing = missingForIpvs();
const CHANGES = Number(process.env["PARASAUS_IPVS_SCHEDULER_CHANGES"] ?? 60);
/** So long the control runs, which changes nothing. */
const CONTROL_REQUESTS = 300;

describe.skipIf(missing)(`IPVS driver that changes a scheduler under load${missing}`, () => {
  let world: IpvsWorld;
  const poolOf = (scheduler: "rr" | "wlc") => poolIn(world, 3, { scheduler, forwarding: "nat" });
  const refusedOf = ({ failures }: RequestsReport) => failures["ECONNREFUSED"] ?? 0;
  const startRequests = () =>
    startTraffic(world.topology.client, {
      host: world.nodeIp,
      port: 30001,
      sources: world.clientIps,
      mode: "requests",
      concurrency: 8,
      timeoutMs: 60_000,
    });
  const countedBy = async (requests: ReturnType<typeof startRequests>, count: number) => {
    await expect
      .poll(async () => (await requests.mark()).succeeded, { timeout: 300_000, interval: 200 })
      .toBeGreaterThan(count);
  };
  beforeAll(async () => {
    world = await openIpvsWorld();
  });
  afterAll(() => world?.[Symbol.asyncDispose]());

  it("control: refuses nothing while nothing is changed", async () => {
    await program(world, poolOf("rr"));
    const requests = startRequests();
    await countedBy(requests, CONTROL_REQUESTS);
    const report = await requests.stop();
    print(0, report, 0);
    expect(report.failures).toEqual({});
  });

  it("refuses connections that come in the instant without a scheduler, and breaks none that is open", async () => {
    await program(world, poolOf("rr"));
    const target = { host: world.nodeIp, port: 30001, sources: world.clientIps };
    const held = startTraffic(world.topology.client, {
      ...target,
      mode: "hold",
      connections: 10,
      timeoutMs: 60_000,
    });
    await expect.poll(async () => (await held.mark()).opened, { timeout: 120_000 }).toBe(10);
    const requests = startRequests();
    await countedBy(requests, 50);
    let changeMs = 0;
    for (let change = 0; change < CHANGES; change += 1) {
      const startMs = performance.now();
      await program(world, poolOf(change % 2 === 0 ? "wlc" : "rr"));
      changeMs += performance.now() - startMs;
    }
    const report = await requests.stop();
    print(CHANGES, report, changeMs / CHANGES);
    const kept = await held.mark();
    await held.stop();
    expect([kept.alive, kept.moved, kept.resets, kept.timeouts, kept.ends]).toEqual([10, 0, 0, 0, 0]);
    expect(report.failures, "nothing but refusals").toEqual(
      refusedOf(report) > 0 ? { ECONNREFUSED: refusedOf(report) } : {},
    );
    const table = world.topology.node.run("cat", "/proc/net/ip_vs");
    expect(table, "the last change took").toContain(CHANGES % 2 === 0 ? " rr" : " wlc");
  });

  function print(changes: number, report: RequestsReport, changeMs: number): void {
    const perSecond = report.started / (report.durationMs / 1000);
    const refused = refusedOf(report);
    process.stdout.write(
      `ipvs scheduler changes n=${changes} of ${changeMs.toFixed(0)} ms each on ${availableParallelism()} CPUs: ${report.started} requests at ${perSecond.toFixed(0)}/s, ${refused} refused\n`,
    );
  }
});
