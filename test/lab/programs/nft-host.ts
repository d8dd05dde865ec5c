/**
 * Opens a table of ours in nf_tables in its network namespace, of masqueraded services or of marks, and does what lines of JSON on standard input ask, as driver-host
 * does: `{"id":1,"method":"add","parameters":[[...]]}`.
 *
 *     tsx nft-host.ts masquerade|masquerade6|marks TABLE
 */
import { createInterface } from "node:readline";
import { openMasquerade, openPortMarks } from "../../../src/linux/index.ts";

const [, , kind, name = ""] = process.argv;
const table = kind === "marks" ? openPortMarks(name) : openMasquerade(name, kind === "masquerade6" ? 6 : 4);
process.stdout.write("open\n");
createInterface({ input: process.stdin }).on("line", (line) => {
  const { id, method, parameters } = JSON.parse(line) as { id: number; method: string; parameters: never[] };
  const run = (table as unknown as Record<string, (...values: never[]) => unknown>)[method];
  try {
    process.stdout.write(`${JSON.stringify({ id, result: run?.(...parameters) })}\n`);
  } catch (failure) {
    process.stdout.write(`${JSON.stringify({ id, error: String(failure) })}\n`);
  }
});
