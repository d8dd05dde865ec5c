import type { ChildProcess, SpawnOptions } from "node:child_process";
import type { Driver } from "../../src/dataplane/index.ts";
import { endProcess, type Namespace } from "./namespaces.ts";
import { labProgram, linesOf, nextLine } from "./traffic.ts";

/** A lab program in another namespace that answers calls. */
export interface Remote {
  readonly process: ChildProcess;
  call(method: string, ...parameters: readonly unknown[]): Promise<unknown>;
  /** Ends it as SIGKILL does. */
  kill(): Promise<void>;
  /** Ends it as SIGTERM does. */
  end(): Promise<void>;
}

/** Starts one of the lab's programs and waits until it answers. */
export async function startRemote(
  namespace: Namespace,
  program: string,
  words: readonly string[] = [],
  prefix: readonly string[] = [],
  options: SpawnOptions = {},
): Promise<Remote> {
  const child = namespace.start([...prefix, ...labProgram(program, ...words)], options);
  const lines = linesOf(child);
  await nextLine(lines, child);
  const waiting = new Map<number, { resolve: (value: unknown) => void; reject: (cause: Error) => void }>();
  lines.on("line", (line) => {
    const { id, result, error } = JSON.parse(line) as { id: number; result?: unknown; error?: string };
    if (error === undefined) waiting.get(id)?.resolve(result);
    else waiting.get(id)?.reject(new Error(error));
    waiting.delete(id);
  });
  const failAll = () => {
    for (const { reject } of waiting.values()) reject(new Error(`${program} ended before it answered`));
    waiting.clear();
  };
  child.once("exit", failAll);
  let next = 0;
  return {
    process: child,
    call: (method, ...parameters) =>
      new Promise((resolve, reject) => {
        next += 1;
        waiting.set(next, { resolve, reject });
        child.stdin?.write(`${JSON.stringify({ id: next, method, parameters })}\n`);
      }),
    async kill() {
      if (child.exitCode !== null || child.signalCode !== null) return;
      const gone = new Promise<void>((resolve) => child.once("exit", () => resolve()));
      child.kill("SIGKILL");
      await gone;
    },
    end: () => endProcess(child),
  };
}

/** The driver that runs in a `driver-host`. */
export async function remoteDriver(remote: Remote): Promise<Driver> {
  const call =
    <Result>(method: string) =>
    (...parameters: readonly unknown[]) =>
      remote.call(method, ...parameters) as Promise<Result>;
  const { name, capabilities } = await call<Pick<Driver, "name" | "capabilities">>("introduce")();
  return {
    name,
    capabilities,
    nowMs: () => Number(process.hrtime.bigint()) / 1e6,
    observe: call("observe"),
    apply: call("apply"),
    readCounters: call("readCounters"),
    explain: call("explain"),
    listFlows: call("listFlows"),
    maintain: call("maintain"),
    setNodeAddresses: call("setNodeAddresses"),
    [Symbol.asyncDispose]: () => remote.end(),
  };
}
