import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import path from "node:path";
import { createInterface, type Interface } from "node:readline";
import { fileURLToPath } from "node:url";
import type { Namespace } from "./namespaces.ts";
import type { MemberMachine } from "./topology.ts";

/** Short requests: one connection each. */
export interface RequestsPlan {
  readonly mode: "requests";
  readonly host: string;
  readonly port: number;
  /** Absent: until stopped. */
  readonly total?: number;
  readonly concurrency: number;
  readonly sources: readonly string[];
  /** Who closes first; `reset`: the client, by RST. Default: client or member, at random. */
  readonly closer?: "client" | "member" | "either" | "reset";
  readonly timeoutMs?: number;
  /** Pause of each worker between two requests. */
  readonly paceMs?: number;
}

/** Long connections: a byte every 100 ms. */
export interface HoldPlan {
  readonly mode: "hold";
  readonly host: string;
  readonly port: number;
  readonly connections: number;
  readonly sources: readonly string[];
  readonly intervalMs?: number;
  readonly timeoutMs?: number;
}

/** What the client program is told to do. */
export type TrafficPlan = RequestsPlan | HoldPlan;

/** What came of the short requests. */
export interface RequestsReport {
  started: number;
  succeeded: number;
  /** By kind: ECONNREFUSED, ECONNRESET, timeout, short-read, ... */
  readonly failures: Record<string, number>;
  readonly members: Record<string, number>;
  /** Wall clock of each member's last answer. */
  readonly lastSeenMs: Record<string, number>;
  longestMs: number;
  durationMs: number;
  wallMs: number;
}

/** What came of the long connections. */
export interface HoldReport {
  opened: number;
  alive: number;
  exchanged: number;
  /** Connections that had an answer since the last mark. */
  answered: number;
  /** Answers from another member than the connection's first: must be 0. */
  moved: number;
  resets: number;
  ends: number;
  timeouts: number;
  refused: number;
  readonly members: Record<string, number>;
  readonly resetWallMs: number[];
  wallMs: number;
}

/** A running client program. */
export interface TrafficClient<Report> {
  /** The report so far. */
  mark(): Promise<Report>;
  /** Ends the traffic and returns the last report. */
  stop(): Promise<Report>;
  /** Waits for the plan to end by itself. */
  finished(): Promise<Report>;
}

const PROGRAMS = path.join(path.dirname(fileURLToPath(import.meta.url)), "programs");

/** Names a folder with the lab's programs as plain JavaScript, for a machine so slow that it must not compile them. */
export const BUNDLES_VARIABLE = "PARASAUS_LAB_BUNDLES";

/** The command that runs one of the lab's own programs. */
export function labProgram(name: string, ...words: readonly string[]): string[] {
  const bundles = process.env[BUNDLES_VARIABLE];
  if (bundles)
    return [process.execPath, path.join(bundles, "programs", name.replace(/\.ts$/, ".mjs")), ...words];
  return [process.execPath, "--import", import.meta.resolve("tsx"), path.join(PROGRAMS, name), ...words];
}

/** Starts a client in `namespace`. */
export function startTraffic(namespace: Namespace, plan: RequestsPlan): TrafficClient<RequestsReport>;
export function startTraffic(namespace: Namespace, plan: HoldPlan): TrafficClient<HoldReport>;
export function startTraffic(namespace: Namespace, plan: TrafficPlan): TrafficClient<unknown> {
  const child = namespace.start(labProgram("traffic-client.ts", JSON.stringify(plan)));
  const lines = linesOf(child);
  return {
    async mark() {
      child.stdin?.write("mark\n");
      return JSON.parse(await nextLine(lines, child));
    },
    async stop() {
      child.stdin?.write("stop\n");
      return JSON.parse(await nextLine(lines, child));
    },
    finished: async () => JSON.parse(await nextLine(lines, child)),
  };
}

/**
 * Starts a member's servers and waits until they listen.
 *
 * @param host Address that the UDP server answers from; TCP listens on every one of its family.
 */
export async function startMember(
  machine: MemberMachine,
  tcpPort = 8080,
  udpPort = 8081,
  host = "0.0.0.0",
): Promise<ChildProcess> {
  const child = machine.namespace.start(
    labProgram("member.ts", machine.name, String(tcpPort), String(udpPort), host),
  );
  await nextLine(linesOf(child), child);
  return child;
}

/** The lines of a program's standard output. */
export function linesOf(child: ChildProcess): Interface {
  if (!child.stdout) throw new Error("Cannot read a program's output: it has no pipe");
  return createInterface({ input: child.stdout });
}

/** The next line, or an error when the program ends without one. */
export async function nextLine(lines: Interface, child: ChildProcess): Promise<string> {
  // What it said before somebody listened is lost, and its end comes once.
  if (child.stdout?.readableEnded) throw new Error(`Program ended with code ${child.exitCode} already`);
  const ended = new AbortController();
  try {
    const exited = once(child, "exit", { signal: ended.signal }).then(() => undefined);
    const line = await Promise.race([once(lines, "line", { signal: ended.signal }), exited]);
    if (line === undefined)
      throw new Error(`Program ended with code ${child.exitCode} before it said anything`);
    return String(line[0]);
  } finally {
    ended.abort();
  }
}
