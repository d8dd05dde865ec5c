import { execFileSync, spawnSync } from "node:child_process";
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { describePrograms } from "../../bpf/test/suite.ts";
import { loadBpfObject } from "../../src/linux/index.ts";
import { MUTANTS, type Mutant } from "./mutants.ts";

const REPOSITORY = path.join(import.meta.dirname, "../..");
/** All that needs no real connections: those take minutes to fail. */
const SUITE = ["bpf/test/", "--exclude=bpf/test/traffic.test.ts", "--exclude=bpf/test/local-clients.test.ts"];
let folder: string;
let killedCount = 0;

beforeAll(() => {
  folder = mkdtempSync(path.join(tmpdir(), "parasaus-mutant-"));
});
afterAll(() => {
  rmSync(folder, { recursive: true, force: true });
  process.stdout.write(`mutants: ${killedCount} of ${MUTANTS.length} killed\n`);
});

/** Builds the programs from a copy of the sources, with one mistake in it. @returns the object file */
function build(mutant?: Mutant): string {
  const copy = path.join(folder, "bpf");
  rmSync(copy, { recursive: true, force: true });
  cpSync(path.join(REPOSITORY, "bpf"), copy, {
    recursive: true,
    filter: (source) => !/\/(test|build)$/.test(source),
  });
  if (mutant) {
    const file = path.join(copy, mutant.file);
    const parts = readFileSync(file, "utf8").split(mutant.right);
    expect(parts, `"${mutant.right}" is once in ${mutant.file}`).toHaveLength(2);
    writeFileSync(file, parts.join(mutant.wrong));
  }
  execFileSync("make", ["--no-print-directory", "-s", "-C", copy], { stdio: "pipe" });
  return path.join(copy, "build/parasaus.bpf.o");
}

/** A mutant that the verifier refuses would be killed by nothing. */
function expectToLoad(object: string): void {
  const { maps, programs } = loadBpfObject({ path: object });
  for (const open of [...maps.values(), ...programs.values()]) open.close();
}

/** Runs the programs' suite and the fuzz against an object file. @returns names of the tests that failed */
function failuresOf(object: string): string[] {
  const results = path.join(folder, "results.json");
  const words = ["run", "--project=lab", "--bail=1", "--reporter=json", `--outputFile=${results}`, ...SUITE];
  rmSync(results, { force: true });
  spawnSync(process.execPath, [path.join(REPOSITORY, "node_modules/vitest/vitest.mjs"), ...words], {
    cwd: REPOSITORY,
    env: { ...process.env, PARASAUS_BPF_OBJECT: object, PARASAUS_FUZZ_PACKETS: "40000" },
    stdio: "ignore",
  });
  const { numTotalTests, testResults } = JSON.parse(readFileSync(results, "utf8")) as JsonReport;
  expect(numTotalTests).toBeGreaterThan(0);
  const tests = testResults.flatMap(({ assertionResults }) => assertionResults);
  return tests.filter(({ status }) => status === "failed").map(({ fullName }) => fullName);
}
interface JsonReport {
  readonly numTotalTests: number;
  readonly testResults: readonly {
    readonly assertionResults: readonly { readonly status: string; readonly fullName: string }[];
  }[];
}

describePrograms("mistakes in the C sources", () => {
  it("control: the sources as they are pass", () => {
    expect(failuresOf(build())).toEqual([]);
  });

  for (const mutant of MUTANTS) {
    it(`is noticed: ${mutant.name}`, () => {
      const object = build(mutant);
      expectToLoad(object);
      const failures = failuresOf(object);
      process.stdout.write(`mutant "${mutant.name}": ${failures[0] ?? "survives"}\n`);
      expect(failures).not.toEqual([]);
      killedCount += 1;
    });
  }
});
