import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { buildProgram, type RunningProgram, startProgram } from "./program.ts";
import { formatScenario, mask, parseScenario, type Step } from "./script.ts";

const FOLDER = import.meta.dirname;
const isRewriting = process.env["PARASAUS_REWRITE"] === "1";

beforeAll(buildProgram);

describe.each(readdirSync(FOLDER).filter((name) => name.endsWith(".txt")))("%s", (name) => {
  it("prints what it says", async () => {
    const file = path.join(FOLDER, name);
    const written = readFileSync(file, "utf8");
    await using program = await startProgram(
      "up",
      "--driver",
      "memory",
      "--node-name",
      "node-1",
      "--address",
      "192.0.2.1",
    );
    const steps: Step[] = [];
    for (const step of parseScenario(written))
      steps.push({ ...step, output: await run(program, step.command) });
    const found = formatScenario(steps);
    if (isRewriting) writeFileSync(file, found);
    else expect(found).toBe(written);
  });
});

async function run(program: RunningProgram, command: string): Promise<string> {
  const { output, exitCode } = await program.shell(command);
  const text = output === "" || output.endsWith("\n") ? output : `${output}\n`;
  return mask(text + (exitCode === 0 ? "" : `(exit code ${exitCode})\n`), program.folder);
}
