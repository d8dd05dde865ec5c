import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { type EtcdNetwork, startEtcdNetwork } from "./etcd.ts";
import { endProcess, type Namespace } from "./namespaces.ts";
import { type Answer, callApi, LAUNCHER, waitUntil } from "./product.ts";
import { type Remote, startRemote } from "./remote.ts";
import { labProgram, linesOf, nextLine } from "./traffic.ts";

const SERVERS = "/parasaus/servers/";
const API_PORT = 6780;
const ETCD_PORT = 2379;

/** What `held` of `registry-watch.ts` answers: who holds which key, and since when. */
export type HeldKeys = Readonly<Record<string, { readonly holder: string; readonly sinceMs: number }>>;

/** Servers, the etcd cluster that they share, and who looks on. Disposing it ends everything. */
export interface Fleet extends AsyncDisposable {
  readonly network: EtcdNetwork;
  readonly servers: readonly FleetServer[];
  /** See `registry-watch.ts`. */
  readonly registry: Remote;
  held(): Promise<HeldKeys>;
}

/** Starts an etcd cluster of three and, one after the other, servers on it; the first leads in everything. */
export async function openFleet(serverCount: number, flags: readonly string[] = []): Promise<Fleet> {
  const network = await startEtcdNetwork();
  const servers: FleetServer[] = [];
  const dispose = async () => {
    for (const server of servers) await server[Symbol.asyncDispose]();
    await network[Symbol.asyncDispose]();
  };
  try {
    const registry = await startRemote(network.clients, "registry-watch.ts", [network.endpoints.join(",")]);
    const held = async () => (await registry.call("held")) as HeldKeys;
    for (let number = 1; number <= serverCount; number += 1) {
      const server = await openServer(network, number, flags, held);
      servers.push(server);
      await server.start();
    }
    return { network, registry, servers, held, [Symbol.asyncDispose]: dispose };
  } catch (failure) {
    await dispose();
    throw failure;
  }
}

async function openServer(
  network: EtcdNetwork,
  number: number,
  flags: readonly string[],
  held: Fleet["held"],
): Promise<FleetServer> {
  const namespace = network.joinClient(`s${number}`);
  const home = mkdtempSync(path.join(tmpdir(), "parasaus-lab-"));
  const words = [String(ETCD_PORT), network.endpoints.join(",")];
  const post = await startRemote(namespace, "etcd-post.ts", words);
  const relay = namespace.start(labProgram("relay.ts", path.join(home, "api.sock"), String(API_PORT)));
  await nextLine(linesOf(relay), relay);
  const ip = `10.79.0.${100 + number}`;
  return new FleetServer({ namespace, home, post, ip, flags, held });
}

interface ServerPlace {
  readonly namespace: Namespace;
  readonly home: string;
  readonly post: Remote;
  readonly ip: string;
  readonly flags: readonly string[];
  readonly held: Fleet["held"];
}

/** One `parasaus server` on a machine of its own, with a post between it and etcd. */
export class FleetServer implements AsyncDisposable {
  readonly #place: ServerPlace;
  readonly #lines: string[] = [];
  #child: ChildProcess | undefined;
  #id = "";

  constructor(place: ServerPlace) {
    this.#place = place;
  }

  /** Its address on the bridge. */
  get ip(): string {
    return this.#place.ip;
  }

  get namespace(): Namespace {
    return this.#place.namespace;
  }

  /** A UNIX socket by which its API is reached from any namespace; it serves nobody who is not of its machine. */
  get socketPath(): string {
    return path.join(this.#place.home, "api.sock");
  }

  /** See `etcd-post.ts`. */
  get post(): Remote {
    return this.#place.post;
  }

  /** Who it is among the servers, this time. */
  get id(): string {
    return this.#id;
  }

  get pid(): number {
    return this.#child?.pid ?? 0;
  }

  log(): string {
    return this.#lines.join("");
  }

  call(method: string, route: string, body?: unknown, contentType = "application/json"): Promise<Answer> {
    return callApi(this.socketPath, method, route, body, contentType);
  }

  /** Starts it, again on its data, and waits until it answers and has joined the others. */
  async start(): Promise<void> {
    const { namespace, home, flags, held } = this.#place;
    const known = new Set(serversOf(await held()));
    const common = [
      "--data-dir",
      home,
      "--listen",
      `127.0.0.1:${API_PORT}`,
      "--no-auth",
      "--log-format",
      "json",
    ];
    const command = [LAUNCHER, "server", `--store=etcd://127.0.0.1:${ETCD_PORT}`, ...common, ...flags];
    const child = namespace.start(command, { stdio: ["ignore", "pipe", "pipe"] });
    this.#child = child;
    for (const stream of [child.stdout, child.stderr])
      stream?.on("data", (bytes) => this.#lines.push(String(bytes)));
    const isReady = async () => (await this.call("GET", "/readyz")).status === 200;
    await waitUntil("a server is ready", isReady, () => this.log(), child);
    const hasJoined = async () => {
      this.#id = serversOf(await held()).find((id) => !known.has(id)) ?? "";
      return this.#id !== "";
    };
    await waitUntil("a server has joined", hasJoined, () => this.log(), child);
  }

  /** SIGKILL, and waits until it is gone. */
  async kill(): Promise<void> {
    if (!this.#child || this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const gone = once(this.#child, "exit");
    this.#child.kill("SIGKILL");
    await gone;
  }

  /** SIGSTOP. */
  pause(): void {
    this.#child?.kill("SIGSTOP");
  }

  /** SIGCONT. */
  resume(): void {
    this.#child?.kill("SIGCONT");
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.resume();
    if (this.#child) await endProcess(this.#child);
    rmSync(this.#place.home, { recursive: true, force: true });
  }
}

function serversOf(held: HeldKeys): string[] {
  return Object.keys(held).flatMap((key) => (key.startsWith(SERVERS) ? [key.slice(SERVERS.length)] : []));
}
