/**
 * Opens a masquerade table in its network namespace and does what lines of JSON on standard input ask, as driver-host
 * does: `{"id":1,"method":"add","parameters":[[...]]}`.
 *
 *     tsx masquerade-host.ts TABLE
 */
import { createInterface } from "node:readline";
import { openMasquerade } from "../../../src/linux/index.ts";

const masquerade = openMasquerade(process.argv[2] ?? "");
type Method = "whyNot" | "hasChanged" | "list" | "install" | "add" | "remove" | "uninstall";
process.stdout.write("open\n");
createInterface({ input: process.stdin }).on("line", (line) => {
  const { id, method, parameters } = JSON.parse(line) as { id: number; method: Method; parameters: never[] };
  const run = masquerade[method] as (...values: never[]) => unknown;
  try {
    process.stdout.write(`${JSON.stringify({ id, result: run(...parameters) })}\n`);
  } catch (failure) {
    process.stdout.write(`${JSON.stringify({ id, error: String(failure) })}\n`);
  }
});
