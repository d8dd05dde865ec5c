import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import path from "node:path";
import { endProcess } from "../../test/lab/namespaces.ts";

/** An nginx that listens on one port of every address of its namespace. Disposing it ends it: then the kernel refuses connections. */
export interface MemberGroup extends AsyncDisposable {
  readonly process: ChildProcess;
}

const CONNECTIONS = 16_384;
const PATIENCE_MS = 10_000;

/** Starts members on a port: one process that accepts, reads the reset and closes, and does nothing else. */
export async function startMembers(port: number): Promise<MemberGroup> {
  const home = mkdtempSync(path.join(tmpdir(), "parasaus-members-"));
  const file = path.join(home, "nginx.conf");
  const folders = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"].map(
    (use) => `${use}_temp_path ${home}/${use};`,
  );
  writeFileSync(
    file,
    `user root; daemon off; master_process off; pid ${home}/pid; error_log ${home}/error.log crit; worker_rlimit_nofile ${2 * CONNECTIONS};
events { worker_connections ${CONNECTIONS}; multi_accept on; }
http { access_log off; ${folders.join(" ")} server { listen ${port} backlog=${CONNECTIONS}; return 204; } }`,
  );
  const child = spawn("/usr/sbin/nginx", ["-p", home, "-c", file], {
    stdio: ["ignore", "ignore", "inherit"],
  });
  await untilListening(child, port);
  return {
    process: child,
    async [Symbol.asyncDispose]() {
      await endProcess(child);
      rmSync(home, { recursive: true, force: true });
    },
  };
}

async function untilListening(child: ChildProcess, port: number): Promise<void> {
  for (const deadlineMs = performance.now() + PATIENCE_MS; ; ) {
    if (await answers(port)) return;
    if (child.exitCode !== null || performance.now() > deadlineMs)
      throw new Error(`nginx does not listen on port ${port}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

async function answers(port: number): Promise<boolean> {
  const socket = connect(port, "127.0.0.1");
  try {
    await once(socket, "connect");
    return true;
  } catch {
    return false;
  } finally {
    socket.destroy();
  }
}
