/** `npm run bench [traffic|program|cluster|health|console|fleet] -- [--quick] [--json FILE]` */
import { readFileSync, writeFileSync } from "node:fs";
import { cpus, release } from "node:os";
import { buildProgram } from "../test/scenario/program.ts";
import { runCluster } from "./cluster/run.ts";
import { runConsole } from "./console/run.ts";
import { runHealth } from "./health/run.ts";
import { runProgram } from "./program/run.ts";
import type { Figure } from "./statistics.ts";
import { printTraffic } from "./traffic/print.ts";
import { runTraffic } from "./traffic/run.ts";

const HELP = `Usage: npm run bench [traffic|program|cluster|health|console|fleet] -- [--quick] [--json FILE]

  traffic   requests through the node beside plain routing, nginx and HAProxy; about 12 minutes
  program   35,000 pools: packets, changes, cold start, memory; about 2 minutes
  cluster   254 agents of 3,500 pools, and 8 of 35,000, over two servers and etcd; about 6 minutes
  health    two servers probe 70,000 members of 35,000 pools every 5 s; about 5 minutes
  console   35,000 pools in a browser: first view, search, verdicts on the screen; about 5 minutes
  fleet     254 agents of 35,000 pools, or as many as memory is free for (21 GB for all); about 20 minutes

  --quick        fewer rounds, fewer pools; a tenth of the time, figures are only a hint
  --json FILE    writes the figures and the machine as JSON too

All but fleet run when none is named. Needs root and an idle machine. docs/reference/bench.md says what the figures mean.
Example: npm run bench traffic -- --quick --json traffic.json
`;

const words = process.argv.slice(2);
const quick = words.includes("--quick");
const jsonFile = words.includes("--json") ? words[words.indexOf("--json") + 1] : undefined;
const named = words.filter((word) => !word.startsWith("--") && word !== jsonFile);
const print = (line: string) => process.stderr.write(`${line}\n`);

/** Runs one bench and prints what it found. */
const RUNS: Readonly<Record<string, () => Promise<readonly Figure[]>>> = {
  traffic: async () => {
    const traffic = await runTraffic({ rounds: quick ? 3 : 7, sliceSeconds: 1, print });
    process.stdout.write(printTraffic(traffic));
    return traffic.figures;
  },
  program: async () =>
    printFigures(
      await runProgram({ poolCount: quick ? 1_000 : 35_000, changeCount: quick ? 50 : 200, print }),
    ),
  cluster: async () => {
    buildProgram();
    const sizes = quick
      ? [{ agentCount: 32, poolCount: 500, hostCount: 2 }]
      : [
          { agentCount: 254, poolCount: 3_500, hostCount: 4 },
          { agentCount: 8, poolCount: 35_000, hostCount: 2 },
        ];
    return printFigures(await runCluster({ sizes, changeCount: quick ? 10 : 50, print }));
  },
  fleet: async () => {
    buildProgram();
    const size = quick
      ? { agentCount: 16, poolCount: 3_500, hostCount: 4 }
      : { agentCount: Math.min(254, agentsThatFit()), poolCount: 35_000, hostCount: 4 };
    print(`fleet: ${size.agentCount} agents of ${size.poolCount} pools`);
    return printFigures(await runCluster({ sizes: [size], changeCount: quick ? 10 : 50, print }));
  },
  console: async () => {
    buildProgram();
    const size = quick ? { poolCount: 2_000, rounds: 5 } : { poolCount: 35_000, rounds: 15 };
    return printFigures(await runConsole({ ...size, print }));
  },
  health: async () => {
    buildProgram();
    const size = quick
      ? { poolCount: 1_000, agentCount: 2, victimCount: 20, seconds: 10 }
      : { poolCount: 35_000, agentCount: 8, victimCount: 200, seconds: 60 };
    return printFigures(await runHealth({ ...size, interval: "5s", print }));
  },
};

async function main(): Promise<void> {
  const figures: Figure[] = [];
  const usual = Object.keys(RUNS).filter((name) => name !== "fleet");
  for (const name of named.length > 0 ? named : usual) figures.push(...((await RUNS[name]?.()) ?? []));
  if (jsonFile)
    writeFileSync(jsonFile, `${JSON.stringify({ machine: describeMachine(), figures }, undefined, 2)}\n`);
}

function printFigures(figures: readonly Figure[]): readonly Figure[] {
  for (const { work, contender, median, unit } of figures)
    process.stdout.write(
      `  ${work.padEnd(26)} ${contender.padEnd(24)} ${shown(median).padStart(10)} ${unit}\n`,
    );
  return figures;
}

function shown(median: number): string {
  return Number.isNaN(median) ? "too large" : median.toFixed(1);
}

/** An agent of 35,000 pools holds some 72 MiB beside others in its process, its kernel in memory with it. */
function agentsThatFit(): number {
  const kilobytes = /MemAvailable:\s+(\d+)/.exec(readFileSync("/proc/meminfo", "utf8"))?.[1];
  return Math.floor((Number(kilobytes) / 1024 - 2048) / 80);
}

function describeMachine(): Readonly<Record<string, string | number>> {
  return {
    cpu: cpus()[0]?.model ?? "unknown",
    cores: cpus().length,
    kernel: release(),
    memoryKb: Number(/MemTotal:\s+(\d+)/.exec(readFileSync("/proc/meminfo", "utf8"))?.[1] ?? 0),
    node: process.version,
  };
}

const unknown = named.filter((name) => !(name in RUNS));
if (words.includes("--help") || words.includes("-h")) process.stdout.write(HELP);
else if (unknown.length > 0) {
  print(`Unknown bench "${unknown.join(" ")}": there are ${Object.keys(RUNS).join(", ")}`);
  process.exitCode = 2;
} else await main();
