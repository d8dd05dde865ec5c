import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { ip, makeNamespace } from "../../test/lab/namespaces.ts";
import { type Figure, figure, quantile } from "../statistics.ts";
import type { HealthPlan, HealthReport } from "./measure.ts";

/** What is measured, and where progress goes. */
export interface HealthBenchOptions extends HealthPlan {
  readonly print: (line: string) => void;
}

const INSIDE = fileURLToPath(new URL("inside.ts", import.meta.url));
/** The members' addresses are the namespace's own, without being loopback addresses, which are not probed. */
const MEMBER_NETWORK = "10.96.0.0/12";

/** Two servers probe all members of all pools, in a network namespace where every member's address is answered. */
export async function runHealth({ print, ...plan }: HealthBenchOptions): Promise<readonly Figure[]> {
  await using namespace = makeNamespace("health");
  namespace.run("ip", "route", "add", "local", MEMBER_NETWORK, "dev", "lo");
  namespace.run("sysctl", "-qw", "net.core.somaxconn=16384");
  const child = namespace.start([
    process.execPath,
    "--import",
    import.meta.resolve("tsx"),
    INSIDE,
    JSON.stringify(plan),
  ]);
  const chunks: string[] = [];
  child.stdout?.on("data", (chunk) => chunks.push(String(chunk)));
  const [code] = await once(child, "close");
  // What it has not ended itself, because it failed.
  for (const pid of ip("netns", "pids", namespace.id).split("\n").filter(Boolean)) process.kill(Number(pid));
  if (code !== 0) throw new Error(`The measurement of the health checks ended with ${code}`);
  const report = JSON.parse(chunks.join("")) as HealthReport;
  const contender = `${2 * plan.poolCount}-members-tcp-${plan.interval}`;
  describe(report, plan, print);
  return figuresOf(report, contender);
}

function figuresOf(report: HealthReport, contender: string): readonly Figure[] {
  const of = (work: string, unit: string, values: readonly number[]) => figure(work, contender, unit, values);
  const { probeCount, seconds, cpu, toAllNodesMs } = report;
  return [
    of("probes-per-second", "probes/s", [probeCount / seconds]),
    of("probes-per-second-per-core", "probes/s", [probeCount / cpu.servers]),
    of("cpu-per-probe", "µs", [(1e6 * cpu.servers) / probeCount]),
    of("probe-lateness-median", "ms", [report.latenessMedianMs]),
    of("probe-lateness-p99", "ms", [report.latenessP99Ms]),
    of("verdict-to-kernel-median", "ms", [quantile(toAllNodesMs, 0.5)]),
    of("verdict-to-kernel-p99", "ms", [quantile(toAllNodesMs, 0.99)]),
    of("wrong-verdicts", "verdicts", [report.wrongVerdictCount]),
    of("server-memory", "MiB", [report.serverPeakMib]),
  ];
}

function describe(report: HealthReport, plan: HealthPlan, print: (line: string) => void): void {
  const { probeCount, seconds, cpu, results, toAllNodesMs } = report;
  const share = (used: number) => `${((100 * used) / seconds).toFixed(0)} %`;
  print(
    `health: ${probeCount} probes in ${seconds.toFixed(1)} s (${JSON.stringify(results)}), ` +
      `${report.handshakeCount} handshakes counted by the kernel, ${report.overflowCount} turned away by full queues`,
  );
  print(
    `health: of one core: servers ${share(cpu.servers)}, members ${share(cpu.members)}, etcd ${share(cpu.etcd)}, ` +
      `${plan.agentCount} agents ${share(cpu.agents)}; machine busy ${(100 * cpu.machineBusyShare).toFixed(0)} %`,
  );
  print(
    `health: ${toAllNodesMs.length} verdicts of ${plan.victimCount} members that went and came again, each until the last of ${plan.agentCount} agents`,
  );
}
