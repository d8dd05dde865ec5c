import { spawn } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";

/** What a traced driver did to the kernel. */
export interface SyscallTrace {
  /** `bpf` calls so far that change something: `BPF_MAP_UPDATE_ELEM`, ... */
  writes(): string[];
  /** All `bpf` calls so far. */
  calls(): string[];
}

const WRITES = new Set([
  "BPF_MAP_UPDATE_ELEM",
  "BPF_MAP_DELETE_ELEM",
  "BPF_MAP_UPDATE_BATCH",
  "BPF_MAP_DELETE_BATCH",
  "BPF_MAP_CREATE",
  "BPF_PROG_LOAD",
  "BPF_PROG_TEST_RUN",
  "BPF_PROG_RUN",
  "BPF_OBJ_PIN",
  "BPF_LINK_CREATE",
  "BPF_LINK_UPDATE",
]);

/** Traces `bpf` calls from the start of a program: put `prefix` before its command. */
export function traceBpf(): SyscallTrace & { readonly prefix: readonly string[] } {
  const file = traceFile();
  // -D: the program stays our child, so that signals reach it and not strace.
  return { prefix: ["strace", "-D", "-f", ...traceWords(file)], ...readTrace(file) };
}

/** Traces `bpf` calls of a running process. `killAt`: SIGKILL when it is about to make that call, counted from 1. */
export async function attachTrace(pid: number, killAt?: number): Promise<SyscallTrace & AsyncDisposable> {
  const file = traceFile();
  const inject = killAt === undefined ? [] : ["-e", `inject=bpf:signal=KILL:when=${killAt}`];
  const strace = spawn("strace", [...inject, ...traceWords(file), "-p", String(pid)], { stdio: "ignore" });
  const ended = new Promise<void>((resolve) => strace.once("exit", () => resolve()));
  while (/TracerPid:\t0\n/.test(readFileSync(`/proc/${pid}/status`, "utf8"))) {
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  return {
    ...readTrace(file),
    async [Symbol.asyncDispose]() {
      strace.kill("SIGTERM");
      await ended;
    },
  };
}

function traceWords(file: string): string[] {
  return ["-qq", "-e", "trace=bpf", "-o", file];
}

function traceFile(): string {
  return path.join(mkdtempSync(path.join(tmpdir(), "paratest-")), "trace");
}

function readTrace(file: string): SyscallTrace {
  const calls = () =>
    (existsSync(file) ? readFileSync(file, "utf8") : "")
      .split("\n")
      .flatMap((line) => /\bbpf\((BPF_\w+)/.exec(line)?.slice(1) ?? []);
  return { calls, writes: () => calls().filter(isBpfWrite) };
}

/** Whether a `bpf` call changes something. */
export function isBpfWrite(call: string): boolean {
  return WRITES.has(call);
}
