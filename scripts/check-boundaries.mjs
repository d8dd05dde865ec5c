// Runs dependency-cruiser over all sources, and fails too when it looked at hardly any: a green gate that reads nothing.
import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";

const LEAST_MODULES = 20;
const run = spawnSync(
  process.execPath,
  [
    "node_modules/dependency-cruiser/bin/dependency-cruise.mjs",
    "--config",
    ".dependency-cruiser.mjs",
    ...["src", "bin", "test", "bench", "scripts", "web"].filter((folder) => existsSync(folder)),
  ],
  { encoding: "utf8" },
);
const output = run.stdout + run.stderr;
const modules = Number(/(\d+) modules/.exec(output)?.[1] ?? 0);
if (run.status !== 0 || modules < LEAST_MODULES) {
  process.stderr.write(output);
  if (modules < LEAST_MODULES)
    process.stderr.write(
      `check:boundaries looked at ${modules} modules, expected at least ${LEAST_MODULES}\n`,
    );
  process.exitCode = 1;
}
