import { type ChildProcess, execFileSync, type SpawnOptions, spawn } from "node:child_process";
import { existsSync, readdirSync } from "node:fs";

const PREFIX = "paratest-";
const PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/** A network namespace that a test made, and everything that the test started in it. */
export interface Namespace extends AsyncDisposable {
  /** Unique on the machine: `paratest-<pid>-<name>`. */
  readonly id: string;
  /** Runs a program to its end and returns its standard output. Throws with its error output when it fails. */
  run(...command: readonly string[]): string;
  /** Starts a program; it is killed when the namespace is disposed. */
  start(command: readonly string[], options?: SpawnOptions): ChildProcess;
}

/** Runs `ip` in the machine's own namespace. */
export function ip(...words: readonly string[]): string {
  return runProgram("ip", words);
}

/** Runs a program to its end, with `input` as its standard input, and returns its standard output. */
export function runProgram(program: string, words: readonly string[], input = ""): string {
  return execFileSync(program, [...words], {
    encoding: "utf8",
    env: { ...process.env, PATH: `${process.env["PATH"] ?? ""}:${PATH}` },
    input,
    stdio: "pipe",
    maxBuffer: 64 * 1024 * 1024,
  });
}

/** Whether this process may make namespaces; tests that need it are skipped by name otherwise. */
export function canMakeNamespaces(): boolean {
  return process.platform === "linux" && process.getuid?.() === 0 && existsSync("/proc/self/ns/net");
}

/** Makes a network namespace with loopback up. `name` is at most 8 characters. */
export function makeNamespace(name: string): Namespace {
  removeLeftovers();
  const id = `${PREFIX}${process.pid}-${name}`;
  ip("netns", "add", id);
  const inside = ["--net", `/run/netns/${id}`].join("=");
  const children = new Set<ChildProcess>();
  const run = (...command: readonly string[]) => runProgram("nsenter", [inside, ...command]);
  run("ip", "link", "set", "lo", "up");
  return {
    id,
    run,
    start(command, options = {}) {
      const child = spawn("nsenter", [inside, ...command], {
        stdio: ["pipe", "pipe", "inherit"],
        ...options,
        env: { ...process.env, ...options.env, PATH: `${process.env["PATH"] ?? ""}:${PATH}` },
      });
      children.add(child);
      child.once("exit", () => children.delete(child));
      return child;
    },
    async [Symbol.asyncDispose]() {
      await Promise.all([...children].map(endProcess));
      ip("netns", "delete", id);
    },
  };
}

/** Ends a process that the test started: politely, then after two seconds for good. */
export async function endProcess(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = new Promise<void>((resolve) => child.once("exit", () => resolve()));
  child.kill("SIGTERM");
  const force = setTimeout(() => child.kill("SIGKILL"), 2_000);
  await ended;
  clearTimeout(force);
}

/** Removes namespaces of test runs whose process is gone. */
function removeLeftovers(): void {
  if (!existsSync("/run/netns")) return;
  for (const id of readdirSync("/run/netns").filter((each) => each.startsWith(PREFIX))) {
    const owner = id.slice(PREFIX.length).split("-")[0] ?? "";
    if (existsSync(`/proc/${owner}`)) continue;
    for (const pid of ip("netns", "pids", id).split("\n").filter(Boolean))
      process.kill(Number(pid), "SIGKILL");
    ip("netns", "delete", id);
  }
}

/** A counter of the namespace's network stack, e.g. `TcpExt`, `TCPSynRetrans`. */
export function readNetstat(namespace: Namespace, group: string, name: string): number {
  const file = group === "TcpExt" || group === "IpExt" ? "/proc/net/netstat" : "/proc/net/snmp";
  const lines = namespace
    .run("cat", file)
    .split("\n")
    .filter((line) => line.startsWith(`${group}: `));
  const column = lines[0]?.split(" ").indexOf(name) ?? -1;
  const value = column < 0 ? undefined : lines[1]?.split(" ")[column];
  if (value === undefined) throw new Error(`Cannot read ${group} ${name}: ${file} has no such counter`);
  return Number(value);
}
