import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import path from "node:path";
import { endProcess, makeNamespace, type Namespace, runProgram } from "./namespaces.ts";
import { cutNetwork, type NetworkCut } from "./network-cut.ts";

/** One member of a cluster in the lab. */
export interface EtcdMember {
  readonly name: string;
  /** `host:port` for clients. */
  readonly endpoint: string;
  /** Of the process that runs now, or ran last. */
  pid(): number;
  /** SIGKILL, and waits until it is gone. */
  kill(): Promise<void>;
  /** Starts it again on the data that it had. */
  start(): void;
  /** SIGSTOP. */
  pause(): void;
  /** SIGCONT. */
  resume(): void;
}

/** A member with a network namespace of its own. */
export interface NetworkedMember extends EtcdMember {
  /** Cuts it off from the other members, and from clients too unless they are spared. */
  cutOff(options?: { readonly spareClients?: boolean }): NetworkCut;
}

/** An etcd cluster that a test started; disposing it ends every member and removes their data. */
export interface EtcdCluster<Member extends EtcdMember = EtcdMember> extends AsyncDisposable {
  readonly members: readonly Member[];
  readonly endpoints: readonly string[];
  /** Runs etcdctl against all members, or against some. */
  ctl(words: readonly string[], endpoints?: readonly string[]): string;
  /** Deletes every key. */
  wipe(): void;
  /** The member that leads, as most members that answer see it; waits until there is one. */
  leader(): Promise<Member>;
}

/** A cluster with a network: each member in a namespace of its own, all on one bridge. */
export interface EtcdNetwork extends EtcdCluster<NetworkedMember> {
  /** Where the bridge is, and where programs run that use the cluster. */
  readonly clients: Namespace;
  /** One more namespace on the bridge, which can be cut off by itself. */
  joinClient(name: string): Namespace;
  /** Brings a namespace that is there already to the bridge. @returns its address there */
  attach(namespace: Namespace): string;
}

/** PEM files of a cluster that wants client certificates. */
export interface EtcdFiles {
  readonly ca: string;
  readonly certificate: string;
  readonly key: string;
  /** What etcdctl shows; default: the same as the members. */
  readonly ctl?: { readonly certificate: string; readonly key: string };
}

/** How large, and how. */
export interface EtcdOptions {
  /** Default 1. */
  readonly memberCount?: number;
  /** Absent: plain text. */
  readonly tls?: EtcdFiles;
  /** Client ports that were chosen before; default: free ones. */
  readonly clientPorts?: readonly number[];
}

/** How large a cluster with a network is, and how soon it misses its leader. */
export interface EtcdNetworkOptions {
  /** Default 3. */
  readonly memberCount?: number;
  /** Default: etcd's, 1,000. */
  readonly electionMs?: number;
}

interface Place {
  readonly name: string;
  readonly host: string;
  readonly clientPort: number;
  readonly peerPort: number;
  readonly start: (command: readonly string[]) => ChildProcess;
}

/** Starts a cluster on loopback and waits until it answers. */
export async function startEtcd(options: EtcdOptions = {}): Promise<EtcdCluster> {
  const count = options.memberCount ?? 1;
  const ports = await freePorts(count * 2);
  const places = Array.from({ length: count }, (_, index) => ({
    name: `e${index + 1}`,
    host: "127.0.0.1",
    clientPort: options.clientPorts?.[index] ?? ports[index] ?? 0,
    peerPort: ports[count + index] ?? 0,
    start: (command: readonly string[]) => spawn(command[0] ?? "", command.slice(1), { stdio: "ignore" }),
  }));
  return openCluster(places, options, runProgram, (member) => member);
}

/**
 * Starts a cluster in namespaces:
 *
 *     clients 10.79.0.1, bridge ── 10.79.0.11 member 1
 *                              ├── 10.79.0.12 member 2
 *                              └── 10.79.0.13 member 3
 */
export async function startEtcdNetwork(options: EtcdNetworkOptions = {}): Promise<EtcdNetwork> {
  const { memberCount = 3, electionMs } = options;
  const made: Namespace[] = [];
  const make = (name: string) => {
    const namespace = makeNamespace(name);
    made.push(namespace);
    return namespace;
  };
  const remove = async () => {
    for (const namespace of made.splice(0).reverse()) await namespace[Symbol.asyncDispose]();
  };
  try {
    const clients = make("etcd");
    makeBridge(clients);
    const hosts = Array.from({ length: memberCount }, (_, index) => `10.79.0.${11 + index}`);
    const namespaces = hosts.map((host, index) =>
      joinBridge(clients, make(`e${index + 1}`), index + 1, host),
    );
    const places = hosts.map((host, index) => ({
      name: `e${index + 1}`,
      host,
      clientPort: 2379,
      peerPort: 2380,
      start: (command: readonly string[]) =>
        (namespaces[index] ?? clients).start(command, { stdio: "ignore" }),
    }));
    const cluster = await openCluster(
      places,
      { ...(electionMs === undefined ? {} : { electionMs }) },
      (program, words) => clients.run(program, ...words),
      (member, index): NetworkedMember => ({
        ...member,
        cutOff: ({ spareClients = false } = {}) =>
          cutNetwork(namespaces[index] ?? clients, spareClients ? hosts : undefined),
      }),
    );
    const dispose = async () => {
      await cluster[Symbol.asyncDispose]();
      await remove();
    };
    let joined = 0;
    const attach = (namespace: Namespace) => {
      joined += 1;
      const address = `10.79.0.${100 + joined}`;
      joinBridge(clients, namespace, 100 + joined, address);
      return address;
    };
    const joinClient = (name: string) => {
      const namespace = make(name);
      attach(namespace);
      return namespace;
    };
    return { ...cluster, clients, joinClient, attach, [Symbol.asyncDispose]: dispose };
  } catch (failure) {
    await remove();
    throw failure;
  }
}

function makeBridge(namespace: Namespace): void {
  namespace.run("ip", "link", "add", "br0", "type", "bridge");
  namespace.run("ip", "address", "add", "10.79.0.1/24", "dev", "br0");
  namespace.run("ip", "link", "set", "br0", "up");
}

function joinBridge(hub: Namespace, member: Namespace, number: number, host: string): Namespace {
  hub.run("ip", "link", "add", `e${number}`, "type", "veth", "peer", "name", "eth0", "netns", member.id);
  hub.run("ip", "link", "set", `e${number}`, "master", "br0", "up");
  member.run("ip", "address", "add", `${host}/24`, "dev", "eth0");
  member.run("ip", "link", "set", "eth0", "up");
  return member;
}

type ClusterOptions = Pick<EtcdOptions, "tls"> & Pick<EtcdNetworkOptions, "electionMs">;
type RunProgram = (program: string, words: readonly string[]) => string;

async function openCluster<Member extends EtcdMember>(
  places: readonly Place[],
  options: ClusterOptions,
  run: RunProgram,
  extend: (member: EtcdMember, index: number) => Member,
): Promise<EtcdCluster<Member>> {
  const { tls } = options;
  const directory = mkdtempSync(path.join(tmpdir(), "paratest-etcd-"));
  const processes = places.map(
    (place) => new MemberProcess(place, commandOf(place, places, directory, options)),
  );
  const members = processes.map((process, index) => extend(process.member, index));
  const endpoints = places.map(({ host, clientPort }) => `${host}:${clientPort}`);
  const { certificate, key } = tls?.ctl ?? tls ?? {};
  const security = tls ? [`--cacert=${tls.ca}`, `--cert=${certificate}`, `--key=${key}`] : [];
  const ctl = (words: readonly string[], some: readonly string[] = endpoints) => {
    const urls = some.map((endpoint) => `${tls ? "https" : "http"}://${endpoint}`);
    return run("etcdctl", [`--endpoints=${urls.join(",")}`, "--command-timeout=3s", ...security, ...words]);
  };
  const dispose = async () => {
    await Promise.all(processes.map((process) => process.end()));
    rmSync(directory, { recursive: true, force: true });
  };
  const cluster = {
    members,
    endpoints,
    ctl,
    wipe: () => void ctl(["del", "", "--from-key"]),
    leader: () => findLeader(members, ctl),
    [Symbol.asyncDispose]: dispose,
  };
  try {
    await untilDone(() => ctl(["endpoint", "health"]));
    return cluster;
  } catch (failure) {
    await dispose();
    throw failure;
  }
}

function commandOf(
  place: Place,
  places: readonly Place[],
  directory: string,
  { tls, electionMs = 1_000 }: ClusterOptions,
): readonly string[] {
  const client = `${tls ? "https" : "http"}://${place.host}:${place.clientPort}`;
  const peerOf = ({ host, peerPort }: Place) => `http://${host}:${peerPort}`;
  const flags = {
    name: place.name,
    "data-dir": path.join(directory, place.name),
    "listen-client-urls": client,
    "advertise-client-urls": client,
    "listen-peer-urls": peerOf(place),
    "initial-advertise-peer-urls": peerOf(place),
    "initial-cluster": places.map((each) => `${each.name}=${peerOf(each)}`).join(","),
    // What docs/reference/store.md recommends; only etcd 3.4 has to be told.
    "pre-vote": "true",
    "election-timeout": String(electionMs),
    "heartbeat-interval": String(electionMs / 10),
    logger: "zap",
    "log-level": "panic",
    ...(tls
      ? {
          "cert-file": tls.certificate,
          "key-file": tls.key,
          "trusted-ca-file": tls.ca,
          "client-cert-auth": "true",
        }
      : {}),
  };
  const words = Object.entries(flags).map(([flag, value]) => `--${flag}=${value}`);
  // It ends with the test run, however that ends.
  return ["setpriv", "--pdeathsig", "KILL", "etcd", ...words];
}

class MemberProcess {
  readonly #place: Place;
  readonly #command: readonly string[];
  #child: ChildProcess;

  constructor(place: Place, command: readonly string[]) {
    this.#place = place;
    this.#command = command;
    this.#child = place.start(command);
  }

  get member(): EtcdMember {
    const { name, host, clientPort } = this.#place;
    return {
      name,
      endpoint: `${host}:${clientPort}`,
      pid: () => this.#child.pid ?? 0,
      kill: async () => {
        const gone = once(this.#child, "exit");
        this.#child.kill("SIGKILL");
        await gone;
      },
      start: () => {
        this.#child = this.#place.start(this.#command);
      },
      pause: () => void this.#child.kill("SIGSTOP"),
      resume: () => void this.#child.kill("SIGCONT"),
    };
  }

  async end(): Promise<void> {
    this.#child.kill("SIGCONT");
    await endProcess(this.#child);
  }
}

async function findLeader<Member extends EtcdMember>(
  members: readonly Member[],
  ctl: EtcdCluster["ctl"],
): Promise<Member> {
  for (const deadlineMs = performance.now() + 30_000; performance.now() < deadlineMs; ) {
    const statuses = members.flatMap(({ endpoint }) => askStatus(ctl, endpoint));
    const votes = statuses.map(({ leader }) => leader).filter((id) => id !== "0");
    const elected = votes.find((id) => votes.filter((other) => other === id).length > members.length / 2);
    const found = statuses.find(({ id }) => id === elected);
    const member = members.find(({ endpoint }) => endpoint === found?.endpoint);
    if (member) return member;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Error("Waited 30 s in vain for a leader of the etcd cluster");
}

/** Ids are 64 bits wide: as text, numbers would be rounded. */
function askStatus(
  ctl: EtcdCluster["ctl"],
  endpoint: string,
): { endpoint: string; id: string; leader: string }[] {
  try {
    const text = ctl(["endpoint", "status", "--write-out=json"], [endpoint]);
    const id = /"member_id":(\d+)/.exec(text)?.[1] ?? "";
    const leader = /"leader":(\d+)/.exec(text)?.[1] ?? "0";
    return [{ endpoint, id, leader }];
  } catch {
    return [];
  }
}

async function untilDone(attempt: () => unknown): Promise<void> {
  const deadlineMs = performance.now() + 30_000;
  for (;;) {
    try {
      attempt();
      return;
    } catch (failure) {
      if (performance.now() > deadlineMs) throw failure;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }
}

/** Ports of loopback that nobody listens on now. */
export async function freePorts(count: number): Promise<number[]> {
  const servers = Array.from({ length: count }, () => createServer().listen(0, "127.0.0.1"));
  await Promise.all(servers.map((server) => once(server, "listening")));
  const ports = servers.map((server) => (server.address() as { port: number }).port);
  await Promise.all(servers.map((server) => once(server.close(), "close")));
  return ports;
}
