import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import path from "node:path";
import { endProcess, runProgram } from "./namespaces.ts";

/** One member of a cluster in the lab. */
export interface EtcdMember {
  readonly name: string;
  /** `host:port` for clients. */
  readonly endpoint: string;
  /** Undefined while it is not running. */
  readonly pid: number | undefined;
}

/** An etcd cluster that a test started; disposing it ends every member and removes their data. */
export interface EtcdCluster extends AsyncDisposable {
  readonly members: readonly EtcdMember[];
  readonly endpoints: readonly string[];
  /** Runs etcdctl against all members. */
  ctl(...words: readonly string[]): string;
  /** Deletes every key. */
  wipe(): void;
}

/** Starts a cluster of one member on loopback. */
export async function startEtcd(): Promise<EtcdCluster> {
  const directory = mkdtempSync(path.join(tmpdir(), "paratest-etcd-"));
  const [clientPort, peerPort] = await freePorts(2);
  const endpoint = `127.0.0.1:${clientPort}`;
  const child = spawnEtcd("e1", directory, {
    "listen-client-urls": `http://${endpoint}`,
    "advertise-client-urls": `http://${endpoint}`,
    "listen-peer-urls": `http://127.0.0.1:${peerPort}`,
    "initial-advertise-peer-urls": `http://127.0.0.1:${peerPort}`,
    "initial-cluster": `e1=http://127.0.0.1:${peerPort}`,
  });
  const ctl = (...words: readonly string[]) => etcdctl([endpoint], words);
  const dispose = async () => {
    await endProcess(child);
    rmSync(directory, { recursive: true, force: true });
  };
  try {
    await untilHealthy(() => ctl("endpoint", "health"));
  } catch (failure) {
    await dispose();
    throw failure;
  }
  return {
    members: [{ name: "e1", endpoint, pid: child.pid }],
    endpoints: [endpoint],
    ctl,
    wipe: () => void ctl("del", "", "--from-key"),
    [Symbol.asyncDispose]: dispose,
  };
}

function spawnEtcd(name: string, directory: string, flags: Readonly<Record<string, string>>): ChildProcess {
  const words = Object.entries({ name, "data-dir": path.join(directory, name), ...flags });
  // It ends with the test run, however that ends.
  return spawn(
    "setpriv",
    [
      "--pdeathsig",
      "KILL",
      "etcd",
      "--log-level=error",
      ...words.map(([flag, value]) => `--${flag}=${value}`),
    ],
    {
      stdio: ["ignore", "ignore", "inherit"],
    },
  );
}

function etcdctl(endpoints: readonly string[], words: readonly string[]): string {
  return runProgram("etcdctl", [`--endpoints=${endpoints.join(",")}`, ...words]);
}

async function untilHealthy(ask: () => string): Promise<void> {
  const deadlineMs = performance.now() + 30_000;
  for (;;) {
    try {
      ask();
      return;
    } catch (failure) {
      if (performance.now() > deadlineMs) throw failure;
    }
  }
}

async function freePorts(count: number): Promise<number[]> {
  const servers = Array.from({ length: count }, () => createServer().listen(0, "127.0.0.1"));
  await Promise.all(servers.map((server) => once(server, "listening")));
  const ports = servers.map((server) => (server.address() as { port: number }).port);
  await Promise.all(servers.map((server) => once(server.close(), "close")));
  return ports;
}
