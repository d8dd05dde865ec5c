/**
 * `npm run demo`: the main job in about a minute, with real traffic, in network namespaces that it makes and removes.
 */
import pc from "picocolors";
import { canMakeNamespaces, endProcess } from "../test/lab/namespaces.ts";
import { waitUntil } from "../test/lab/product.ts";
import { MEMBER_PORT, openStage, type Stage } from "../test/lab/stage.ts";
import { type RequestsReport, startMember, startTraffic, type TrafficClient } from "../test/lab/traffic.ts";

const STEP_WIDTH = 26;
const say = (line: string) => process.stdout.write(`${line}\n`);

interface Running {
  readonly stage: Stage;
  readonly port: number;
  readonly traffic: TrafficClient<RequestsReport>;
  last: RequestsReport;
}

async function main(): Promise<void> {
  say(
    pc.bold("\nParasaus in one minute") +
      " - real traffic through this machine's kernel, in namespaces of its own\n",
  );
  await using stage = await openStage({ memberCount: 3 });
  const { product, lab } = stage;
  const http = { healthCheck: { type: "http", interval: "1s", timeout: "500ms", rise: 1, fall: 2 } };
  const port = await stage.openPool("web", stage.poolSpec(2, http));
  step("apply", `pool web with 2 members, http check every second -> ${lab.nodeIp}:${port}`);
  const traffic = startTraffic(lab.client, {
    mode: "requests",
    host: lab.nodeIp,
    port,
    concurrency: 8,
    sources: lab.clientIps,
    timeoutMs: 2_000,
    paceMs: 2,
  });
  const running: Running = { stage, port, traffic, last: await traffic.mark() };
  await observe(running, "requests spread", 3_000);

  const killed = await startSpare(running);
  await memberDies(running, killed);

  await product.patchPool("web", { spec: { members: members(stage, [1, 2, 3]) } });
  await waitForUp(stage, 3);
  await observe(running, "add member m3", 3_000);

  await product.patchPool("web", { spec: { scheduler: "wlc" } });
  await observe(running, "scheduler rr -> wlc", 3_000);

  const pid = product.agentPid();
  process.kill(pid, "SIGKILL");
  await observe(running, `kill -9 agent (pid ${pid})`, 4_000);
  await waitUntil("the agent is back", async () => product.agentPid() !== pid);
  step("", `a new agent has taken over: pid ${product.agentPid()}, nothing rewritten`);

  say(`\n${product.cli("get", "pools", "-o", "wide")}`);
  const end = await traffic.stop();
  const failed = total(end.failures);
  say(
    `${pc.bold(
      `${end.started} requests in ${(end.durationMs / 1_000).toFixed(0)} s; failed because of a change: ${failed - undetected}`,
    )}; refused by a dead member before it was noticed: ${undetected}\n`,
  );
  process.exitCode = failed - undetected === 0 ? 0 : 1;
}

/** Requests that hit the dead member while the check had not failed twice: no Layer-4 balancer can hide those. */
let undetected = 0;

async function startSpare({ stage }: Running): Promise<Awaited<ReturnType<typeof startMember>>> {
  const [first] = stage.lab.members;
  if (!first) throw new Error("Cannot start: no member");
  const spare = await startMember(first, MEMBER_PORT + 1, MEMBER_PORT + 2);
  await stage.product.patchPool("web", {
    spec: { members: [{ ip: first.ip, port: MEMBER_PORT + 1 }, ...members(stage, [2])] },
  });
  await waitForUp(stage, 2);
  return spare;
}

async function memberDies(running: Running, spare: Awaited<ReturnType<typeof startMember>>): Promise<void> {
  const { stage } = running;
  await settle(running);
  const diedMs = performance.now();
  await endProcess(spare);
  await waitForUp(stage, 1);
  const down = (await stage.product.getPool("web")).status?.members?.find(
    (member) => member.verdict === "down",
  );
  const seconds = ((performance.now() - diedMs) / 1_000).toFixed(1);
  await new Promise((resolve) => setTimeout(resolve, 100));
  const before = total(running.last.failures);
  running.last = await running.traffic.mark();
  undetected += total(running.last.failures) - before;
  step("kill member m1", `noticed after ${seconds} s (${down?.reason ?? "?"})`);
  await observe(running, "traffic moves", 3_000);
}

function members(stage: Stage, numbers: readonly number[]): readonly Record<string, unknown>[] {
  return numbers.map((number) => ({ ip: stage.lab.members[number - 1]?.ip, port: MEMBER_PORT }));
}

async function waitForUp(stage: Stage, count: number): Promise<void> {
  await waitUntil(
    `${count} members are up`,
    async () =>
      (await stage.product.getPool("web")).status?.members?.filter((member) => member.verdict === "up")
        .length === count,
  );
}

async function settle(running: Running): Promise<void> {
  running.last = await running.traffic.mark();
}

/** Lets traffic flow, then prints who answered and how many requests failed since the last look. */
async function observe(running: Running, name: string, forMs: number): Promise<void> {
  await settle(running);
  const before = running.last;
  await new Promise((resolve) => setTimeout(resolve, forMs));
  await settle(running);
  const after = running.last;
  const shares = Object.keys(after.members)
    .sort()
    .map((member) => `${member} ${(after.members[member] ?? 0) - (before.members[member] ?? 0)}`);
  const failed = total(after.failures) - total(before.failures);
  step(
    name,
    `${after.succeeded - before.succeeded} requests: ${shares.join("  ")}   ${failed === 0 ? pc.green("0 failed") : pc.red(`${failed} failed`)}`,
  );
}

function step(name: string, text: string): void {
  say(`  ${pc.cyan(name.padEnd(STEP_WIDTH))}${text}`);
}

function total(failures: Readonly<Record<string, number>>): number {
  return Object.values(failures).reduce((sum, each) => sum + each, 0);
}

if (canMakeNamespaces()) await main();
else {
  say("The demo needs root, because it makes network namespaces and loads eBPF programs: sudo npm run demo");
  process.exitCode = 1;
}
