import { type ChildProcess, spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { createSocket } from "node:dgram";
import { once } from "node:events";
import { closeSync, mkdirSync, rmdirSync } from "node:fs";
import { createServer } from "node:net";
import { createInterface } from "node:readline";
import { afterAll, afterEach, beforeEach, expect, it } from "vitest";
import { attachToCgroup, findCgroup2Root, netnsCookie } from "../../src/linux/index.ts";
import { OTHER_DRIVER, STATE } from "./layout.ts";
import { UDP } from "./packet.ts";
import { freshPrograms, now, type Programs, SECOND_NS } from "./programs.ts";
import { describePrograms } from "./suite.ts";

/** `enum bpf_attach_type`. */
const HOOKS = { connect4: 10, sendmsg4: 14, recvmsg4: 19, getpeername4: 29, sock_release: 34 };
const CLIENT = new URL("./local-client.mjs", import.meta.url).pathname;
const OFF = 0;
const HOST = 1;
const ALL = 2;
const BESIDE = { local_clients: ALL, other_driver: OTHER_DRIVER.serves };
const VIP = { ip: "192.0.2.10", port: 80 };

interface Outcome {
  readonly answer?: string;
  readonly peer?: string;
  readonly from?: string;
  readonly error?: string;
}
interface World extends AsyncDisposable {
  /** Tells the client program what to do, and waits for what came of it. */
  tell(deed: string, where?: { readonly ip: string; readonly port: number }): Promise<Outcome>;
  /** Ends the client program without a word. */
  kill(): Promise<void>;
}
let world: World;
let kernel: Programs;

beforeEach(async () => {
  world = await openWorld();
  kernel.configure({ local_clients: ALL });
  kernel.writeMember(1, { address: "127.0.0.2", port: 9000 });
  kernel.writeMember(2, { address: "127.0.0.3", port: 9000 });
  for (const protocol of [6, UDP]) {
    kernel.publish({ sequence: [1, 2], protocol });
    kernel.publish({ sequence: [1, 2], protocol, ip: "0.0.0.0", port: 30_080 });
  }
});
afterEach(() => world?.[Symbol.asyncDispose]());
afterAll(() => kernel?.[Symbol.dispose]());

/** The programs, attached to a cgroup with one client program in it, and two members that answer with their address. */
async function openWorld(): Promise<World> {
  kernel = freshPrograms(kernel);
  const cgroup = `${findCgroup2Root()}/pbpf-${randomBytes(4).toString("hex")}`;
  mkdirSync(cgroup);
  const links = Object.entries(HOOKS).map(([name, type]) =>
    attachToCgroup(kernel.program(name), cgroup, type),
  );
  const members = await Promise.all(["127.0.0.2", "127.0.0.3"].map(startMember));
  const client = spawn(
    "sh",
    ["-c", `echo $$ > ${cgroup}/cgroup.procs && exec "$0" "$1"`, process.execPath, CLIENT],
    {
      stdio: ["pipe", "pipe", "inherit"],
    },
  );
  const answers = createInterface({ input: client.stdout })[Symbol.asyncIterator]();
  return {
    async tell(deed, where = VIP) {
      client.stdin.write(`${JSON.stringify({ deed, ...where })}\n`);
      return JSON.parse((await answers.next()).value as string) as Outcome;
    },
    kill: () => end(client),
    async [Symbol.asyncDispose]() {
      await end(client);
      for (const stop of members) stop();
      for (const link of links) closeSync(link);
      rmdirSync(cgroup);
    },
  };
}

async function end(client: ChildProcess): Promise<void> {
  if (client.exitCode !== null || client.signalCode !== null) return;
  const exited = once(client, "exit");
  client.kill("SIGKILL");
  await exited;
}

async function startMember(address: string): Promise<() => void> {
  const tcp = createServer((socket) => {
    socket.on("error", () => socket.destroy());
    socket.on("data", () => socket.write(address));
  });
  const udp = createSocket("udp4", (_, { address: ip, port }) => udp.send(address, port, ip));
  tcp.listen(9000, address);
  udp.bind(9000, address);
  await Promise.all([once(tcp, "listening"), once(udp, "listening")]);
  return () => {
    tcp.close();
    udp.close();
  };
}

const loads = () => [kernel.load(1), kernel.load(2)];

describePrograms("a TCP client on the node", () => {
  it.each([
    ["a connect address", VIP],
    ["127.0.0.1, which stands for the node", { ip: "127.0.0.1", port: 30_080 }],
  ])("gets a member for %s, sees what it dialled, and counts until it closes", async (_, where) => {
    const outcome = await world.tell("tcp", where);
    expect(outcome).toEqual({ answer: "127.0.0.2", peer: `${where.ip}:${where.port}` });
    expect(loads()).toEqual([1, 0]);
    expect(kernel.traffic(1).connections).toBe(1n);
    await world.tell("closeTcp");
    expect(loads()).toEqual([0, 0]);
    expect((await world.tell("tcp", where)).answer).toBe("127.0.0.3");
    await world.kill();
    expect(loads()).toEqual([0, 0]);
  });

  it("shares the pool's ticket with packets from outside", async () => {
    kernel.fromClient();
    expect((await world.tell("tcp")).answer).toBe("127.0.0.3");
  });

  it("is refused by the kernel where there is no member, or the address is closing", async () => {
    const port = 30_081;
    kernel.publish({ sequence: [], ip: "0.0.0.0", port });
    expect(await world.tell("tcp", { ip: "127.0.0.1", port })).toEqual({ error: "ECONNREFUSED" });
    kernel.publish({ sequence: [1], ip: "0.0.0.0", port, closing: true });
    expect(await world.tell("tcp", { ip: "127.0.0.1", port })).toEqual({ error: "ECONNREFUSED" });
    expect(loads()).toEqual([0, 0]);
  });

  it.each([
    ["off", { local_clients: OFF }, { error: "ECONNREFUSED" }],
    ["another namespace only", { local_clients: HOST, netns_cookie: 1n }, { error: "ECONNREFUSED" }],
    ["all beside a driver that takes what is new", BESIDE, { error: "ECONNREFUSED" }],
  ])("is left alone when --local-clients is %s", async (_, config, outcome) => {
    kernel.configure(config);
    expect(await world.tell("tcp", { ip: "127.0.0.1", port: 30_080 })).toEqual(outcome);
  });

  it("is served in the namespace that --local-clients host names", async () => {
    kernel.configure({ local_clients: HOST, netns_cookie: netnsCookie() });
    expect((await world.tell("tcp")).answer).toBe("127.0.0.2");
  });
});

describePrograms("a UDP client on the node", () => {
  it("that is connected sees what it dialled, and counts until it closes", async () => {
    expect(await world.tell("connectUdp")).toEqual({ peer: "192.0.2.10:80" });
    expect(await world.tell("sendUdp")).toEqual({ answer: "127.0.0.2", from: "192.0.2.10:80" });
    expect(loads()).toEqual([1, 0]);
    await world.tell("closeUdp");
    expect(loads()).toEqual([0, 0]);
  });

  it("that is not keeps its member, while that takes its datagrams", async () => {
    for (let round = 0; round < 3; round++) {
      expect(await world.tell("udp")).toEqual({ answer: "127.0.0.2", from: "192.0.2.10:80" });
    }
    kernel.writeMember(1, {
      address: "127.0.0.2",
      port: 9000,
      state: STATE.draining,
      drain_deadline_ns: now() + 900n * SECOND_NS,
    });
    expect(await world.tell("udp")).toEqual({ answer: "127.0.0.3", from: "192.0.2.10:80" });
    expect(loads()).toEqual([0, 0]);
  });
});
