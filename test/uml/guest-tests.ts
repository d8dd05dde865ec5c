import { existsSync, readFileSync } from "node:fs";
import path from "node:path";
import { describe, it } from "vitest";
import { bundleLabPrograms } from "../lab/bundle.ts";
import { type GuestEnd, type GuestKind, makeGuestFolder, whyGuestFailed } from "../lab/guest.ts";
import { BUNDLES_VARIABLE } from "../lab/traffic.ts";
import { UML } from "../lab/uml.ts";
import { type GuestLine, RESULTS_VARIABLE } from "./guest-line.ts";

/** Ends a guest that hangs; one that works needs a fraction of it, even on a machine that has much else to do. */
const DEADLINE_MS = 2_400_000;
/** A process takes seconds to start there. */
const TEST_TIMEOUT = "--testTimeout=1200000";
/** Vitest hands `--testTimeout` on to its projects, `--hookTimeout` not. */
const HOOK_TIMEOUT = "PARASAUS_HOOK_TIMEOUT_MS=400000";
const LAB_PROGRAMS = [
  "driver-host",
  "flow-client",
  "ipvs-host",
  "ipvs-scale",
  "ipvs-service",
  "nft-host",
  "member",
  "relay",
  "traffic-client",
];

/** Where tests run, and with what. */
interface GuestTestOptions {
  /** Default user-mode-linux. */
  readonly kind?: GuestKind;
  /** Environment; what the host's says of a test's size wins. */
  readonly variables?: Readonly<Record<string, string>>;
}

/**
 * Runs test files of the host's suites on the guest's kernel and makes a test of each result. Where the guest did not run,
 * ended early, or had no tests, one test says so and fails.
 *
 * @param files Filters as Vitest takes them.
 * @param minimumCount So many tests there must be.
 */
export async function describeGuestTests(
  name: string,
  files: readonly string[],
  minimumCount: number,
  { kind = UML, variables = {} }: GuestTestOptions = {},
): Promise<void> {
  const missing = kind.missing();
  const { lines, end } = missing ? { lines: [], end: undefined } : await runInGuest(kind, variables, files);
  const results = lines.flatMap((line) => (line.kind === "result" ? [line] : []));
  describe.skipIf(missing)(`${name} on the kernel of ${kind.name}${missing}`, () => {
    it(`runs at least ${minimumCount} tests to their end`, () => {
      const complaint = end ? complaintAbout(lines, end) : "No guest was booted";
      if (complaint) throw new Error(complaint);
      if (results.length < minimumCount) throw new Error(`The guest ran ${results.length} tests only`);
    });
    for (const { name: test, state, message } of results) {
      it(test, () => {
        if (state !== "passed") throw new Error(message || `The guest says: ${state}`);
      });
    }
  });
}

async function runInGuest(
  kind: GuestKind,
  variables: Readonly<Record<string, string>>,
  files: readonly string[],
) {
  const folder = makeGuestFolder();
  await bundleLabPrograms(
    LAB_PROGRAMS.map((program) => `programs/${program}.ts`),
    path.join(folder, "lab"),
  );
  const reporters = ["--reporter=verbose", "--reporter=./test/uml/reporter.ts"];
  const command = [
    "node_modules/vitest/vitest.mjs",
    "run",
    "--project=integration",
    "--project=lab",
    "--no-isolate",
    // One CPU, and memory for the processes of one file.
    "--no-file-parallelism",
    ...reporters,
    TEST_TIMEOUT,
    ...files,
  ];
  const script = `
export CI=1 NO_COLOR=1 PARASAUS_FUZZ_PACKETS=14000 PARASAUS_FLOWS=200 ${HOOK_TIMEOUT}
${exportsOf({ ...variables, ...sizes() })}
export ${BUNDLES_VARIABLE}=$SHARED/lab ${RESULTS_VARIABLE}=$SHARED/results
exec ${process.execPath} ${command.join(" ")}`;
  await using guest = kind.start({ script, timeoutMs: DEADLINE_MS }, folder);
  const end = await guest.ended;
  // What a test measured there.
  const figures = end.console.split(/\r?\n/).filter((line) => / n=\d/.test(line));
  process.stdout.write(figures.map((line) => `${line}\n`).join(""));
  const lines = readLines(path.join(folder, "results"));
  const count = lines.filter(({ kind }) => kind === "result").length;
  process.stdout.write(`guest: n=${count} tests in ${Math.round(end.durationMs / 1000)} s\n`);
  return { lines, end };
}

/** What the host's environment says of the tests' sizes, and whether they write the documentation anew. */
function sizes(): Readonly<Record<string, string | undefined>> {
  const entries = Object.entries(process.env);
  return Object.fromEntries(
    entries.filter(([name]) =>
      /^PARASAUS_(IPVS_\w+|SWITCH_\w+|CHANGE_REQUESTS|AGENT_\w+|REWRITE)$/.test(name),
    ),
  );
}

function exportsOf(variables: Readonly<Record<string, string | undefined>>): string {
  return Object.entries(variables)
    .map(([name, value]) => `export ${name}=${value}`)
    .join("\n");
}

function readLines(file: string): readonly GuestLine[] {
  if (!existsSync(file)) return [];
  const text = readFileSync(file, "utf8");
  return text.split("\n").flatMap((line) => (line === "" ? [] : [JSON.parse(line) as GuestLine]));
}

/** What was wrong with the run as a whole. A guest that died may have left half a line. */
function complaintAbout(lines: readonly GuestLine[], end: GuestEnd): string | undefined {
  const last = lines.at(-1);
  const hasFailed = lines.some((line) => line.kind === "result" && line.state !== "passed");
  if (last?.kind !== "end") return whyGuestFailed(end) ?? "The guest's test run did not come to its end";
  if (last.errors.length > 0) return last.errors.join("\n");
  return hasFailed ? undefined : whyGuestFailed(end);
}
