import { type ChildProcess, execFileSync } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { Namespace } from "./namespaces.ts";

const BINARY = "/usr/sbin/nginx";
const PATIENCE_MS = 10_000;

/** Whether this machine has Debian's nginx. */
export function hasNginx(): boolean {
  return existsSync(BINARY);
}

/** An nginx of one worker in a network namespace. */
export interface Nginx extends AsyncDisposable {
  /** Starts it, or starts it again, and waits until it listens. */
  start(): Promise<void>;
  /** Ends it at once and waits until it is gone. */
  stop(): Promise<void>;
  /** Stops its worker (SIGSTOP): the kernel goes on accepting, nobody answers. @returns the worker's state, `T` */
  freeze(): Promise<string>;
  /** Lets the worker go on. */
  thaw(): void;
}

/** @param http What stands inside `http { }`; `$HOME` is the folder with `cert.pem` and `key.pem`, self-signed. */
export function makeNginx(namespace: Namespace, http: string): Nginx {
  const home = mkdtempSync(path.join(tmpdir(), "parasaus-nginx-"));
  makeCertificate(home);
  writeFileSync(path.join(home, "nginx.conf"), configuration(home, http));
  let master: ChildProcess | undefined;
  const workers = (): number[] =>
    master?.pid === undefined ? [] : childrenOf(master.pid).filter((pid) => stateOf(pid) !== "Z");
  return {
    async start() {
      master = namespace.start([BINARY, "-p", home, "-c", path.join(home, "nginx.conf")]);
      // The master writes its pid when it listens, and then makes the worker.
      await until(() => workers().length === 1, "nginx has no worker");
    },
    async stop() {
      if (!master) throw new Error("nginx does not run");
      const ended = once(master, "exit");
      master.kill("SIGTERM");
      await ended;
    },
    async freeze() {
      for (const pid of workers()) process.kill(pid, "SIGSTOP");
      await until(() => workers().every((pid) => stateOf(pid) === "T"), "nginx's worker does not stop");
      return workers().map(stateOf).join();
    },
    thaw() {
      for (const pid of workers()) process.kill(pid, "SIGCONT");
    },
    async [Symbol.asyncDispose]() {
      this.thaw();
      if (master?.exitCode === null && master.signalCode === null) await this.stop();
      rmSync(home, { recursive: true, force: true });
    },
  };
}

function configuration(home: string, http: string): string {
  return `user root;
daemon off;
worker_processes 1;
pid ${home}/pid;
error_log ${home}/error.log;
events { worker_connections 256; }
http {
  access_log off;
  ${http.replaceAll("$HOME", home)}
}
`;
}

function makeCertificate(home: string): void {
  const [key, certificate] = [path.join(home, "key.pem"), path.join(home, "cert.pem")];
  const algorithm = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"];
  const subject = ["-subj", "/CN=shop.example", "-days", "1"];
  execFileSync("openssl", ["req", "-x509", ...algorithm, "-keyout", key, "-out", certificate, ...subject], {
    stdio: "ignore",
  });
}

function childrenOf(pid: number): number[] {
  const file = `/proc/${pid}/task/${pid}/children`;
  return existsSync(file) ? readFileSync(file, "utf8").split(" ").filter(Boolean).map(Number) : [];
}

/** `S`, `T`, `Z` …: the word behind the name in brackets. */
function stateOf(pid: number): string {
  const file = `/proc/${pid}/stat`;
  return existsSync(file) ? (/\) (\S)/.exec(readFileSync(file, "utf8"))?.[1] ?? "") : "Z";
}

async function until(condition: () => boolean, complaint: string): Promise<void> {
  const deadlineMs = performance.now() + PATIENCE_MS;
  while (!condition()) {
    if (performance.now() > deadlineMs) throw new Error(complaint);
    await sleep(10);
  }
}
