import { mkdirSync, readdirSync, rmdirSync } from "node:fs";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type EbpfDriverOptions, uninstallEbpf } from "../../src/dataplane/ebpf/index.ts";
import { findCgroup2Root } from "../../src/linux/index.ts";
import { BPF_OBJECT, missingForEbpf } from "../lab/ebpf-world.ts";
import { makeNamespace, type Namespace } from "../lab/namespaces.ts";
import { startRemote } from "../lab/remote.ts";

const missing = missingForEbpf();
const PROGRAMS = readdirSync("bpf").flatMap((file) => /^(\w+)\.bpf\.c$/.exec(file)?.[1] ?? []);
const CGROUP_PROGRAMS = ["connect4", "getpeername4", "recvmsg4", "sendmsg4", "sock_release"];
const DEVICES = ["one", "two"];

describe.skipIf(missing)(`the driver's options${missing}`, () => {
  const cgroup = `${findCgroup2Root()}/paratest-${process.pid}`;
  let node: Namespace;
  beforeAll(() => {
    mkdirSync(cgroup);
    node = makeNamespace("options");
    node.run(
      "ip",
      "link",
      "add",
      "one",
      "address",
      "02:00:00:00:00:01",
      "type",
      "veth",
      "peer",
      "name",
      "two",
    );
    for (const device of DEVICES) node.run("ip", "link", "set", device, "up");
  });
  afterAll(async () => {
    await node?.[Symbol.asyncDispose]();
    rmdirSync(cgroup);
  });

  it.each<[string, Partial<EbpfDriverOptions>, readonly string[], readonly string[]]>([
    ["no local clients", { localClients: "off" }, [], DEVICES],
    ["local clients of the node", { localClients: "host", cgroupRoot: cgroup }, CGROUP_PROGRAMS, DEVICES],
    ["local clients of every pod", { localClients: "pods", cgroupRoot: cgroup }, CGROUP_PROGRAMS, DEVICES],
    ["local clients of one cgroup", { localClients: { cgroup } }, CGROUP_PROGRAMS, DEVICES],
    ["one device", { localClients: "off", devices: ["two"] }, [], ["two"]],
    [
      "source addresses, and tables as small as they may be",
      {
        localClients: "off",
        sourceAddresses: ["192.0.2.1", "192.0.2.2"],
        capacities: { flowCount: 4, halfOpenCount: 1, slotCount: 8, memberCount: 2, poolCount: 1 },
        timeouts: { establishedMs: 1000 },
      },
      [],
      DEVICES,
    ],
  ])("load every program and attach those that are asked for: %s", async (_, change, links, devices) => {
    const options = { node: node.id, objectFile: BPF_OBJECT, ...change };
    const pins = `/sys/fs/bpf/parasaus/${node.id}/v1`;
    const host = await startRemote(node, "driver-host.ts", [JSON.stringify(options)]);
    try {
      const folder = readdirSync(pins).find((name) => name.startsWith("programs-"));
      expect(readdirSync(`${pins}/${folder}`).toSorted()).toEqual([...PROGRAMS, "complete"].toSorted());
      const attached = readdirSync(`${pins}/links`).map((name) => name.slice(0, name.lastIndexOf("-")));
      expect(attached.toSorted()).toEqual(links);
      for (const device of DEVICES) {
        for (const direction of ["ingress", "egress"]) {
          const filters = node.run("tc", "filter", "show", "dev", device, direction);
          expect(filters.includes(`tc_${direction}`)).toBe(devices.includes(device));
        }
      }
    } finally {
      await host.end();
      uninstallEbpf(options);
    }
  });
});
