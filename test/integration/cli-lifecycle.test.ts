import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import path from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { buildProgram, ROOT, type RunningProgram, startProgram } from "../scenario/program.ts";

const PATIENCE = { timeout: 20_000, interval: 100 };
const MEMORY = ["--driver", "memory", "--node-name", "node-1", "--address", "192.0.2.1"];

beforeAll(buildProgram);

const childrenOf = (pid: number | undefined): number[] =>
  readFileSync(`/proc/${pid}/task/${pid}/children`, "utf8").trim().split(" ").filter(Boolean).map(Number);
const isAlive = (pid: number): boolean => {
  try {
    return !/^\d+ \(.*\) Z/.test(readFileSync(`/proc/${pid}/stat`, "utf8"));
  } catch {
    return false;
  }
};
const nodeReady = (program: RunningProgram) =>
  expect.poll(async () => (await program.shell("parasaus status")).output, PATIENCE).toMatch(/node-1 .*True/);

describe("parasaus up", () => {
  it("starts a killed agent again, and ends everything in order on SIGTERM", async () => {
    await using program = await startProgram("up", ...MEMORY);
    await nodeReady(program);
    const [agent = 0] = childrenOf(program.process.pid);
    process.kill(agent, "SIGKILL");
    await expect
      .poll(() => childrenOf(program.process.pid).find((pid) => pid !== agent && isAlive(pid)), PATIENCE)
      .toBeGreaterThan(0);
    expect(program.printed()).toContain("agent ended, starting it again");
    await nodeReady(program);
    const [successor = 0] = childrenOf(program.process.pid);
    program.process.kill("SIGTERM");
    const [exitCode] = await once(program.process, "exit");
    expect(exitCode).toBe(0);
    expect(isAlive(successor)).toBe(false);
  });

  it("takes its agent along when it is killed, so that the next start has the kernel for itself", async () => {
    await using program = await startProgram("up", ...MEMORY);
    await nodeReady(program);
    const [agent = 0] = childrenOf(program.process.pid);
    program.process.kill("SIGKILL");
    await expect.poll(() => isAlive(agent), PATIENCE).toBe(false);
  });

  it("says what is wrong when the port is taken, exit code 1", async () => {
    const occupant = createServer().listen(0, "127.0.0.1");
    await once(occupant, "listening");
    const { port } = occupant.address() as { port: number };
    const folder = mkdtempSync(path.join(tmpdir(), "parasaus-test-"));
    const child = spawn(path.join(ROOT, "bin/parasaus"), [
      "up",
      "--no-auth",
      `--listen=127.0.0.1:${port}`,
      `--data-dir=${folder}`,
    ]);
    let printed = "";
    child.stderr.on("data", (chunk) => {
      printed += chunk;
    });
    const [exitCode] = await once(child, "close");
    expect(exitCode).toBe(1);
    expect(printed).toContain(
      `Error: Cannot listen on 127.0.0.1:${port}: another program does already; choose another port with --listen\n`,
    );
    occupant.close();
    rmSync(folder, { recursive: true });
  });
});

describe("parasaus server and parasaus agent", () => {
  it("keep what was applied over a restart, and a lone agent serves its own metrics", async () => {
    await using server = await startProgram("server", "--auto-create-namespaces=true");
    await using agent = await startAgent(server);
    await nodeReady(server);
    const applied = await server.shell(`parasaus apply -f - <<END
kind: Pool
apiVersion: parasaus.io/v1
metadata: { name: web, namespace: shop }
spec: { healthCheck: { type: none }, members: [{ ip: 198.51.100.1, port: 80 }] }
END`);
    expect(applied).toEqual({ output: "pool.parasaus.io/web created\n", exitCode: 0 });
    const series =
      'parasaus_member_active_connections{node="node-1",namespace="shop",pool="web",member="198.51.100.1:80"} 0';
    await expect.poll(() => metrics(agent.metricsUrl), PATIENCE).toContain(series);
    await expect.poll(() => metrics(server.url), PATIENCE).toContain(series);
    const before = await server.shell("parasaus get pool web -n shop");
    await using again = await server.restart();
    const after = await again.shell("parasaus get pool web -n shop");
    expect(after.output.replace(/\S+\n$/, "")).toBe(before.output.replace(/\S+\n$/, ""));
    await nodeReady(again);
  });
});

async function metrics(url: string): Promise<string> {
  try {
    return await (await fetch(`${url}/metrics`)).text();
  } catch (failure) {
    return String(failure);
  }
}

async function startAgent(server: RunningProgram): Promise<AsyncDisposable & { metricsUrl: string }> {
  const port = await freePort();
  const words = ["agent", `--server=${server.url}`, `--metrics-listen=127.0.0.1:${port}`, ...MEMORY];
  const child = spawn(path.join(ROOT, "bin/parasaus"), [...words, `--data-dir=${server.folder}/agent`], {
    stdio: "ignore",
  });
  return {
    metricsUrl: `http://127.0.0.1:${port}`,
    [Symbol.asyncDispose]: async () => {
      child.kill("SIGTERM");
      if (child.exitCode === null) await once(child, "exit");
    },
  };
}

async function freePort(): Promise<number> {
  const probe = createServer().listen(0, "127.0.0.1");
  await once(probe, "listening");
  const { port } = probe.address() as { port: number };
  probe.close();
  await once(probe, "close");
  return port;
}

it("completes in a real bash", async () => {
  await using program = await startProgram("server");
  const script = `
    exec 2>/dev/null
    source <(parasaus completion bash)
    COMP_WORDS=(parasaus get addresspools ""); COMP_CWORD=3; COMP_LINE="parasaus get addresspools "; COMP_POINT=\${#COMP_LINE}
    $(complete -p parasaus | sed -E 's/.*-F ([^ ]+).*/\\1/') parasaus "" addresspools
    printf '%s\\n' "\${COMPREPLY[@]}"`;
  const environment = {
    ...process.env,
    PATH: `${program.folder}:${process.env["PATH"]}`,
    PARASAUS_SERVER: program.url,
  };
  const output = execFileSync("bash", ["-c", script], { env: environment, encoding: "utf8" });
  expect(output).toContain("node-ports");
});
