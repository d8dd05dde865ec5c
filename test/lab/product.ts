import type { ChildProcess } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { request } from "node:http";
import { tmpdir } from "node:os";
import path from "node:path";
import { fileURLToPath } from "node:url";
import type { KubeObject, Pool } from "../../src/model/index.ts";
import { endProcess, type Namespace } from "./namespaces.ts";
import { BUNDLES_VARIABLE, labProgram, linesOf, nextLine } from "./traffic.ts";

/** The program. */
export const LAUNCHER = path.join(path.dirname(fileURLToPath(import.meta.url)), "../../bin/parasaus");
const API_PORT = 6780;
/** What takes a second elsewhere takes many in a guest, which has its programs as plain JavaScript. */
const PATIENCE = process.env[BUNDLES_VARIABLE] ? 10 : 1;

/** An answer of the API. */
export interface Answer {
  readonly status: number;
  readonly body: unknown;
}

/** `parasaus up` inside a namespace, and the API as an operator reaches it. */
export interface Product extends AsyncDisposable {
  readonly dataDirectory: string;
  /** Node name and pin directory; unique on the machine. */
  readonly nodeName: string;
  /** Pid of `parasaus up`. */
  readonly pid: number;
  /** What `up` printed so far, for messages of failed tests. */
  log(): string;
  call(method: string, path: string, body?: unknown, contentType?: string): Promise<Answer>;
  /** Creates or replaces a Pool in namespace `default`. Throws the API's answer when it refuses. */
  putPool(name: string, spec: unknown): Promise<Pool>;
  /** Merges a change into a Pool. */
  patchPool(name: string, change: unknown): Promise<Pool>;
  deletePool(name: string): Promise<void>;
  getPool(name: string): Promise<Pool>;
  /** Runs the command line inside the namespace. */
  cli(...words: readonly string[]): string;
  /** Pid of the agent child. */
  agentPid(): number;
  /** Takes everything of this node out of the kernel. */
  uninstallNode(): void;
}

/** How to start it. */
export interface ProductOptions {
  readonly namespace: Namespace;
  /** More flags of `parasaus up`. */
  readonly flags?: readonly string[];
  /** A program and its arguments that starts it, e.g. with fewer rights. */
  readonly prefix?: readonly string[];
  /** What starts `parasaus`; default: the launcher of this checkout. */
  readonly launcher?: string;
}

/** Starts `parasaus up` and waits until it is ready. Disposing it ends it and removes its pins and its data. */
export async function startProduct(options: ProductOptions): Promise<Product> {
  const { namespace } = options;
  const home = mkdtempSync(path.join(tmpdir(), "parasaus-lab-"));
  const nodeName = namespace.id;
  const command = [
    ...(options.prefix ?? []),
    options.launcher ?? LAUNCHER,
    "up",
    "--no-auth",
    "--data-dir",
    home,
    "--node-name",
    nodeName,
    "--log-format",
    "json",
    ...(options.flags ?? []),
  ];
  const up = namespace.start(command, { stdio: ["ignore", "pipe", "pipe"] });
  const lines: string[] = [];
  for (const stream of [up.stdout, up.stderr]) stream?.on("data", (bytes) => lines.push(String(bytes)));
  const socketPath = path.join(home, "api.sock");
  const relay = namespace.start(labProgram("relay.ts", socketPath, String(API_PORT)));
  await nextLine(linesOf(relay), relay);
  const call = (method: string, route: string, body?: unknown, contentType = "application/json") =>
    callApi(socketPath, method, route, body, contentType);
  const uninstallNode = () => {
    namespace.run(LAUNCHER, "uninstall", "--node-name", nodeName, "--yes");
  };
  const dispose = async () => {
    await endProcess(up);
    await endProcess(relay);
    uninstallNode();
    rmSync(home, { recursive: true, force: true });
  };
  try {
    await waitUntil(
      "the API is ready",
      async () => (await call("GET", "/readyz")).status === 200,
      () => lines.join(""),
      up,
    );
    return {
      ...operator(call, namespace),
      dataDirectory: home,
      nodeName,
      pid: up.pid ?? 0,
      log: () => lines.join(""),
      call,
      agentPid: () => childOf(up.pid ?? 0),
      uninstallNode,
      [Symbol.asyncDispose]: dispose,
    };
  } catch (failure) {
    await dispose();
    throw failure;
  }
}

function operator(
  call: Product["call"],
  namespace: Namespace,
): Pick<Product, "putPool" | "patchPool" | "deletePool" | "getPool" | "cli"> {
  const route = (name: string) => `/apis/parasaus.io/v1/namespaces/default/pools/${name}`;
  const object = (name: string, spec: unknown) => ({
    apiVersion: "parasaus.io/v1",
    kind: "Pool",
    metadata: { name, namespace: "default" },
    spec,
  });
  return {
    async putPool(name, spec) {
      const created = await call("POST", "/apis/parasaus.io/v1/namespaces/default/pools", object(name, spec));
      if (created.status !== 409) return expectObject(created);
      return expectObject(await call("PUT", route(name), object(name, spec)));
    },
    patchPool: async (name, change) =>
      expectObject(await call("PATCH", route(name), change, "application/merge-patch+json")),
    deletePool: async (name) => {
      expectObject(await call("DELETE", route(name)));
    },
    getPool: async (name) => expectObject(await call("GET", route(name))),
    cli: (...words) => namespace.run(LAUNCHER, ...words),
  };
}

function expectObject(answer: Answer): Pool {
  if (answer.status >= 300) throw new Error(`API answered ${answer.status}: ${JSON.stringify(answer.body)}`);
  return answer.body as KubeObject as Pool;
}

/** Asks an API that listens on a UNIX socket. */
export function callApi(
  socketPath: string,
  method: string,
  route: string,
  body: unknown,
  contentType: string,
): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const outgoing = request(
      {
        socketPath,
        method,
        path: route,
        headers: { "content-type": contentType, accept: "application/json" },
      },
      (incoming) => {
        let text = "";
        incoming.setEncoding("utf8");
        incoming.on("data", (part) => {
          text += part;
        });
        incoming.on("end", () => resolve({ status: incoming.statusCode ?? 0, body: parseBody(text) }));
      },
    );
    outgoing.on("error", reject);
    outgoing.end(body === undefined ? undefined : JSON.stringify(body));
  });
}

/** The only child of a process. */
function childOf(pid: number): number {
  const children = readFileSync(`/proc/${pid}/task/${pid}/children`, "utf8").trim().split(" ").map(Number);
  const [child] = children;
  if (!child) throw new Error(`Process ${pid} has no child`);
  return child;
}

function parseBody(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

/** Waits for a condition, and names it when it does not come. */
export async function waitUntil(
  what: string,
  condition: () => Promise<boolean>,
  evidence: () => string = () => "",
  child?: ChildProcess,
  timeoutMs = 30_000,
): Promise<void> {
  const deadlineMs = performance.now() + PATIENCE * timeoutMs;
  for (;;) {
    if (await condition().catch(() => false)) return;
    if (child && child.exitCode !== null)
      throw new Error(`Program ended with ${child.exitCode} while waiting until ${what}: ${evidence()}`);
    if (performance.now() > deadlineMs)
      throw new Error(`Waited ${timeoutMs} ms in vain until ${what}: ${evidence()}`);
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
}

/**
 * Waits until a pool has its connect address and `memberCount` members that are up; either may come first.
 * @returns the port of its connect address
 */
export async function untilListens(
  name: string,
  read: () => Promise<Pool>,
  memberCount: number,
  evidence: () => string = () => "",
): Promise<number> {
  let port: number | undefined;
  const listens = async () => {
    const { status } = await read();
    port = status?.connectAddresses?.[0]?.port;
    return status?.members?.filter(({ verdict }) => verdict === "up").length === memberCount;
  };
  await waitUntil(
    `${name} listens and its members are up`,
    async () => (await listens()) && port !== undefined,
    evidence,
  );
  return port ?? 0;
}
