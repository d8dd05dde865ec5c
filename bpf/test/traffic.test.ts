import { afterEach, beforeEach, expect, it } from "vitest";
import { attachTcFilter } from "../../src/linux/index.ts";
import { makeNamespace, type Namespace, readNetstat } from "../../test/lab/namespaces.ts";
import { type RequestsPlan, startMember, startTraffic } from "../../test/lab/traffic.ts";
import { run } from "./namespace.ts";
import { CLIENT, CONNECT, colons, MEMBER_MAC, openPrograms, type Programs } from "./programs.ts";
import { describePrograms } from "./suite.ts";

const CLIENT_IPS = ["10.0.1.2", "10.0.1.3", "10.0.1.4"];
const MEMBER_IPS = ["10.0.2.2", "10.0.2.3"];
const FLOW_COUNT = Number(process.env["PARASAUS_FLOWS"] ?? 800);
/** Few: every other flow has to take one that another flow had. */
const PORT_COUNT = FLOW_COUNT / 4;
let kernel: Programs;
let clients: Namespace;
let members: Namespace;

/** The programs between two namespaces, one of clients and one of members, on the node's two devices. */
beforeEach(async () => {
  kernel = openPrograms();
  clients = farEnd("clients", CLIENT.mac, CLIENT_IPS, "10.0.1.1");
  members = farEnd("members", MEMBER_MAC, MEMBER_IPS, "10.0.2.1");
  for (const deviceIndex of [kernel.devices.clients, kernel.devices.members]) {
    for (const direction of ["ingress", "egress"] as const) {
      attachTcFilter({ deviceIndex, direction, priority: 1, handle: 1 }, kernel.program(`tc_${direction}`));
    }
  }
  await startMember({ namespace: members, ip: "10.0.2.2", name: "m1" });
  kernel.configure();
  kernel.writeMember(1);
  kernel.writeMember(2);
});
afterEach(async () => {
  await clients?.[Symbol.asyncDispose]();
  await members?.[Symbol.asyncDispose]();
  kernel?.[Symbol.dispose]();
});

/** What is behind one of the node's devices; its MAC address is the one that the node knows. */
function farEnd(device: string, mac: string, addresses: readonly string[], gateway: string): Namespace {
  const namespace = makeNamespace(device);
  run("ip", "link", "set", `${device}-far`, "netns", namespace.id);
  namespace.run("ip", "link", "set", `${device}-far`, "address", colons(mac), "up");
  for (const address of addresses)
    namespace.run("ip", "address", "add", `${address}/24`, "dev", `${device}-far`);
  namespace.run("ip", "route", "add", "default", "via", gateway);
  return namespace;
}

function request(plan: Partial<RequestsPlan> = {}) {
  return startTraffic(clients, {
    mode: "requests",
    host: CONNECT.ip,
    port: CONNECT.port,
    total: FLOW_COUNT,
    concurrency: 8,
    sources: CLIENT_IPS,
    ...plan,
  }).finished();
}

/** The last FINs may still be on their way when the clients are done. */
function expectNoLoad() {
  return expect.poll(() => [kernel.load(1), kernel.load(2)], { timeout: 10_000 }).toEqual([0, 0]);
}

describePrograms("real connections", () => {
  it.each([
    ["fullnat", "rr"],
    ["nat", "rr"],
    ["fullnat", "lc"],
    ["nat", "mh"],
  ] as const)("all succeed by %s and %s, and leave no load behind", async (forwarding, scheduler) => {
    kernel.publish({ sequence: [1, 2], forwarding, scheduler });
    const { succeeded, failures } = await request();
    expect({ succeeded, failures }).toEqual({ succeeded: FLOW_COUNT, failures: {} });
    await expectNoLoad();
    const [first = 0, second = 0] = [1, 2].map((index) => Number(kernel.traffic(index).connections));
    // A SYN that was repeated, and arrives when its connection is over already, opens another.
    const repeatedCount = readNetstat(clients, "TcpExt", "TCPSynRetrans");
    expect(first + second).toBeGreaterThanOrEqual(FLOW_COUNT);
    expect(first + second).toBeLessThanOrEqual(FLOW_COUNT + repeatedCount);
    if (scheduler === "rr") expect(Math.abs(first - second)).toBeLessThanOrEqual(1);
    expect(kernel.drops()).toEqual({});
  });

  it.each(["client", "member"] as const)(
    "use few source ports again and again when the %s closes first",
    async (closer) => {
      // Longer than members are in TIME_WAIT, as in the product; the other tests want it short.
      const closed_ns = 70_000_000_000n;
      kernel.configure({ source_port_first: 2000, source_port_last: 1999 + PORT_COUNT, closed_ns });
      kernel.publish({ sequence: [1, 2] });
      const { succeeded, failures } = await request({ closer });
      const drops = kernel.drops();
      expect({ succeeded, failures, drops }).toEqual({ succeeded: FLOW_COUNT, failures: {}, drops: {} });
      await expectNoLoad();
      expect(kernel.flowCount()).toBeLessThanOrEqual(2 * 2 * PORT_COUNT);
      expect(kernel.drops()).toEqual({});
    },
  );

  it("to a connect address without members are refused at once, each by RST", async () => {
    kernel.publish({ sequence: [] });
    const { succeeded, failures } = await request({ total: 50 });
    expect({ succeeded, failures }).toEqual({ succeeded: 0, failures: { ECONNREFUSED: 50 } });
    expect(readNetstat(clients, "TcpExt", "TCPSynRetrans")).toBe(0);
    expect(readNetstat(clients, "Tcp", "InCsumErrors")).toBe(0);
  });
});
