import { execFile } from "node:child_process";
import { existsSync, statSync } from "node:fs";
import { createRequire } from "node:module";
import path from "node:path";
import { corrupt } from "./corrupt.ts";
import { DATA_FILE } from "./data-file.ts";

const BASE_TIMEOUT_MS = 30_000;
const TIMEOUT_MS_PER_MEGABYTE = 100;

/**
 * What the child runs: plain JavaScript, because it is not in any bundle. It touches every page that holds records.
 * Keys must rise: pages that point to each other in a circle would keep it busy for ever.
 */
const WALK = `
const { open } = require(process.argv[1]);
const database = open({ path: process.argv[2], encoding: "binary", noSubdir: true, readOnly: true });
let last = "";
for (const { key, value } of database.getRange()) {
  if (!(key > last) || !value) throw new Error("keys are out of order behind " + JSON.stringify(last));
  last = key;
}
process.stdout.write("sound");
`;

/**
 * Opens the data file in a process of its own first: LMDB trusts its pages, and a damaged one can crash whoever reads it.
 *
 * @throws ParasausError `StoreCorrupt` when that process did not come through
 */
export async function checkInChild(directory: string): Promise<void> {
  const file = path.join(directory, DATA_FILE);
  if (!existsSync(file)) return;
  const lmdb = createRequire(import.meta.url).resolve("lmdb");
  const timeout = BASE_TIMEOUT_MS + Math.ceil(statSync(file).size / 1_000_000) * TIMEOUT_MS_PER_MEGABYTE;
  const outcome = await run(["-e", WALK, lmdb, file], timeout);
  if (outcome !== undefined) throw corrupt(file, outcome, undefined);
}

/** @returns why the child did not come through; undefined when it did. */
function run(parameters: readonly string[], timeout: number): Promise<string | undefined> {
  return new Promise((resolve, reject) => {
    execFile(process.execPath, parameters, { timeout, env: {} }, (failure, stdout, stderr) => {
      if (typeof failure?.code === "string") reject(failure);
      else if (failure?.signal) resolve(`reading it crashed with ${failure.signal}`);
      else if (stdout !== "sound") resolve(`it cannot be read (${errorLine(stderr)})`);
      else resolve(undefined);
    });
  });
}

function errorLine(stderr: string): string {
  return (
    stderr
      .split("\n")
      .find((line) => line.includes("Error"))
      ?.trim() ?? "it ends before its last record"
  );
}
