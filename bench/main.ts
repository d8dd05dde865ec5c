/** `npm run bench [traffic|program] -- [--quick] [--json FILE]` */
import { readFileSync, writeFileSync } from "node:fs";
import { cpus, release } from "node:os";
import { runProgram } from "./program/run.ts";
import type { Figure } from "./statistics.ts";
import { printTraffic } from "./traffic/print.ts";
import { runTraffic } from "./traffic/run.ts";

const BENCHES = ["traffic", "program"];

const HELP = `Usage: npm run bench [traffic|program] -- [--quick] [--json FILE]

  traffic   requests through the node beside plain routing, nginx and HAProxy; about 12 minutes
  program   35,000 pools: packets, changes, cold start, memory; about 8 minutes

  --quick        fewer rounds, fewer pools; a tenth of the time, figures are only a hint
  --json FILE    writes the figures and the machine as JSON too

Both run when none is named. Needs root and an idle machine. docs/reference/bench.md says what the figures mean.
Example: npm run bench traffic -- --quick --json traffic.json
`;

const words = process.argv.slice(2);
const quick = words.includes("--quick");
const jsonFile = words.includes("--json") ? words[words.indexOf("--json") + 1] : undefined;
const named = words.filter((word) => !word.startsWith("--") && word !== jsonFile);
const unknown = named.filter((name) => !BENCHES.includes(name));
const print = (line: string) => process.stderr.write(`${line}\n`);

async function main(): Promise<void> {
  const wanted = named.length > 0 ? named : BENCHES;
  const figures: Figure[] = [];
  if (wanted.includes("traffic")) {
    const traffic = await runTraffic({ rounds: quick ? 3 : 7, sliceSeconds: 1, print });
    process.stdout.write(printTraffic(traffic));
    figures.push(...traffic.figures);
  }
  if (wanted.includes("program")) {
    const program = await runProgram({
      poolCount: quick ? 1_000 : 35_000,
      changeCount: quick ? 50 : 200,
      print,
    });
    for (const each of program)
      process.stdout.write(
        `  ${each.work.padEnd(26)} ${each.contender.padEnd(18)} ${each.median.toFixed(1).padStart(10)} ${each.unit}\n`,
      );
    figures.push(...program);
  }
  if (jsonFile)
    writeFileSync(jsonFile, `${JSON.stringify({ machine: describeMachine(), figures }, undefined, 2)}\n`);
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

if (words.includes("--help") || words.includes("-h")) process.stdout.write(HELP);
else if (unknown.length > 0) {
  print(`Unknown bench "${unknown.join(" ")}": there are ${BENCHES.join(", ")}`);
  process.exitCode = 2;
} else await main();
