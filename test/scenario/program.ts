import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";

/** The checkout. */
export const ROOT = path.resolve(import.meta.dirname, "../..");
const START_TIMEOUT_MS = 30_000;

/** A `parasaus` that a test started, in a data directory of its own. */
export interface RunningProgram extends AsyncDisposable {
  readonly folder: string;
  readonly url: string;
  readonly process: ChildProcess;
  /** Everything it has printed so far, both streams. */
  readonly printed: () => string;
  /** Runs a shell command against it; both outputs together, and the exit code. */
  readonly shell: (command: string) => Promise<{ readonly output: string; readonly exitCode: number }>;
  /** Ends it and starts it again, with the same data on the same port. */
  readonly restart: () => Promise<RunningProgram>;
}

/** Builds the program once per run, unless it is newer than its sources. */
export function buildProgram(): void {
  execFileSync(process.execPath, [path.join(ROOT, "scripts/build.mjs"), "--no-bpf"], { stdio: "inherit" });
}

/** Starts `parasaus VERB` without accounts on a free loopback port and waits for its first lines. */
export function startProgram(verb: string, ...words: readonly string[]): Promise<RunningProgram> {
  return startWithAccounts(verb, "--no-auth", ...words);
}

/** The same with accounts; what is run in its shell is known as the owner of the server. */
export async function startWithAccounts(verb: string, ...words: readonly string[]): Promise<RunningProgram> {
  const folder = mkdtempSync(path.join(tmpdir(), "parasaus-test-"));
  symlinkSync(path.join(ROOT, "bin/parasaus"), path.join(folder, "parasaus"));
  return startIn(folder, "127.0.0.1:0", [verb, ...words]);
}

async function startIn(folder: string, listen: string, command: readonly string[]): Promise<RunningProgram> {
  const dataDirectory = path.join(folder, "data");
  const environment = { ...process.env, PATH: `${folder}:${process.env["PATH"]}`, NO_COLOR: "1" };
  const [verb = "up", ...words] = command;
  const child = spawn(
    path.join(ROOT, "bin/parasaus"),
    [verb, "--listen", listen, "--data-dir", dataDirectory, ...words],
    { env: environment, stdio: ["ignore", "pipe", "pipe"] },
  );
  const chunks: string[] = [];
  for (const stream of [child.stdout, child.stderr]) stream.on("data", (chunk) => chunks.push(String(chunk)));
  const printed = () => chunks.join("");
  const end = async () => {
    if (child.exitCode !== null || child.signalCode !== null) return;
    const exited = once(child, "exit");
    child.kill("SIGTERM");
    await exited;
  };
  const remove = async () => {
    await end();
    rmSync(folder, { recursive: true, force: true });
  };
  const url = await waitForUrl(child, printed).catch(async (failure: unknown) => {
    await remove();
    throw failure;
  });
  return {
    folder,
    url,
    process: child,
    printed,
    shell: (line) =>
      runShell(line, folder, { ...environment, ...ownerOf(words, dataDirectory), PARASAUS_SERVER: url }),
    restart: async () => {
      await end();
      return startIn(folder, new URL(url).host, command);
    },
    [Symbol.asyncDispose]: remove,
  };
}

/** Where there are accounts, the command line finds what the owner is known by in the data directory. */
function ownerOf(words: readonly string[], dataDirectory: string): NodeJS.ProcessEnv {
  return words.includes("--no-auth") ? {} : { PARASAUS_DATA_DIR: dataDirectory };
}

async function waitForUrl(child: ChildProcess, printed: () => string): Promise<string> {
  const deadline = Date.now() + START_TIMEOUT_MS;
  for (;;) {
    const url = /API and metrics +(\S+)/.exec(printed())?.[1];
    if (url !== undefined && printed().includes("Type next")) return url;
    if (child.exitCode !== null || Date.now() > deadline)
      throw new Error(`parasaus did not start:\n${printed()}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

/** `eventually PATTERN COMMAND...` prints the command's output once it matches, or its last one after 15 s. */
const PRELUDE = `
eventually() {
  _pattern=$1; shift
  for _ in $(seq 60); do
    _output=$("$@" 2>&1)
    printf '%s\\n' "$_output" | grep -qE "$_pattern" && break
    sleep 0.25
  done
  printf '%s\\n' "$_output"
}
`;

async function runShell(
  command: string,
  folder: string,
  environment: NodeJS.ProcessEnv,
): Promise<{ output: string; exitCode: number }> {
  const child = spawn("sh", ["-c", `exec 2>&1\n${PRELUDE}${command}`], { cwd: folder, env: environment });
  const chunks: string[] = [];
  child.stdout.on("data", (chunk) => chunks.push(String(chunk)));
  child.stdin.end();
  const [exitCode] = (await once(child, "close")) as [number | null];
  return { output: chunks.join(""), exitCode: exitCode ?? 1 };
}
