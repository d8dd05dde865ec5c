/** `npm run bench [traffic|program] -- [--quick] [--json FILE]` */
import { readFileSync, writeFileSync } from "node:fs";
import { cpus, release } from "node:os";
import { printTraffic } from "./traffic/print.ts";
import { runTraffic } from "./traffic/run.ts";

const words = process.argv.slice(2);
const quick = words.includes("--quick");
const jsonFile = words.includes("--json") ? words[words.indexOf("--json") + 1] : undefined;
const print = (line: string) => process.stderr.write(`${line}\n`);

const traffic = await runTraffic({ rounds: quick ? 3 : 7, sliceSeconds: 1, print });
process.stdout.write(printTraffic(traffic));
const machine = {
  cpu: cpus()[0]?.model ?? "unknown",
  cores: cpus().length,
  kernel: release(),
  memoryKb: Number(/MemTotal:\s+(\d+)/.exec(readFileSync("/proc/meminfo", "utf8"))?.[1] ?? 0),
  node: process.version,
};
if (jsonFile)
  writeFileSync(jsonFile, `${JSON.stringify({ machine, figures: traffic.figures }, undefined, 2)}\n`);
