import { once } from "node:events";
import { existsSync } from "node:fs";
import { type AddressInfo, connect, createServer } from "node:net";
import { describe, expect, it } from "vitest";
import {
  destroySocket,
  ensureBpfFs,
  findCgroup2Root,
  listAddresses,
  listDevices,
  listSockets,
  loadBpfObject,
  netnsCookie,
  networkDigest,
  openRouteFinder,
  readSysctl,
} from "../../src/linux/index.ts";
import { BPF_OBJECT, missingForEbpf } from "../lab/ebpf-world.ts";

const isRoot = process.platform === "linux" && process.getuid?.() === 0;
const missing = isRoot ? "" : " (skipped: needs root on Linux)";

describe.skipIf(missing)(`this machine's network${missing}`, () => {
  it("has a loopback device with its address, and a local route to it", () => {
    const loopback = listDevices().find((device) => device.isLoopback);
    expect(loopback).toMatchObject({ name: "lo", isEthernet: false });
    expect(listAddresses()).toContainEqual({
      deviceIndex: loopback?.index,
      ip: "127.0.0.1",
      prefixBits: 8,
      scope: "host",
    });
    using routes = openRouteFinder();
    expect(routes.routeTo("127.0.0.9")).toMatchObject({ isLocal: true, deviceIndex: loopback?.index });
    expect(() => routes.routeTo("localhost")).toThrow(/"localhost" is no IPv4 address/);
  });

  it("gives the same digest while nothing changes", () => {
    expect(networkDigest()).toBe(networkDigest());
    expect(netnsCookie()).toBeGreaterThan(0n);
    expect(readSysctl("net.ipv4.ip_local_port_range")).toMatch(/^\d+\s+\d+$/);
    expect(readSysctl("net.no.such")).toBeUndefined();
  });

  it("shows a connection by its ports and closes it for its owner, once", async () => {
    const server = createServer((socket) => socket.on("error", () => socket.destroy()));
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    const { port } = server.address() as AddressInfo;
    const client = connect(port, "127.0.0.1");
    await once(client, "connect");
    const failed = once(client, "error");
    const found = listSockets("TCP").filter(
      (socket) => socket.localPort === client.localPort && socket.remotePort === port,
    );
    expect(found).toMatchObject([{ family: "IPv4", localIp: "127.0.0.1", remoteIp: "127.0.0.1" }]);
    expect(found.map(destroySocket)).toEqual([true]);
    expect((await failed)[0]).toMatchObject({ code: "ECONNABORTED" });
    expect(found.map(destroySocket)).toEqual([false]);
    server.close();
  });

  it("names the file when an object cannot be opened", () => {
    expect(() => loadBpfObject({ path: "/nowhere/x.o" })).toThrow(
      /Cannot open the BPF object "\/nowhere\/x.o": ENOENT .*failed to open/s,
    );
  });

  it("finds cgroup2 where it is mounted, whatever else is", () => {
    const lines = [
      "30 23 0:26 / /sys/fs/cgroup rw shared:9 - tmpfs tmpfs rw",
      "31 30 0:27 / /sys/fs/cgroup/my\\040own rw shared:10 - cgroup2 cgroup2 rw",
    ];
    expect(findCgroup2Root(lines.join("\n"))).toBe("/sys/fs/cgroup/my own");
    expect(findCgroup2Root(lines[0])).toBeUndefined();
  });
});

const cannotLoad = missingForEbpf();

describe.skipIf(cannotLoad)(`maps of the object file${cannotLoad}`, () => {
  it("are read in batches, by rows, and name themselves when they are full", () => {
    ensureBpfFs();
    expect(existsSync("/sys/fs/bpf")).toBe(true);
    const { maps, programs } = loadBpfObject({ path: BPF_OBJECT, capacities: { service: 100, slot: 64 } });
    const slot = maps.get("slot");
    const service = maps.get("service");
    if (!slot || !service) throw new Error("the object has no slot or service");
    const keys = Buffer.from(Uint32Array.from({ length: 64 }, (_, index) => index).buffer);
    const rows = Buffer.alloc(64 * slot.valueBytes);
    for (let at = 0; at < rows.length; at += 1) rows[at] = at & 255;
    slot.updateBatch(keys, rows, 64);
    expect(slot.readRows(0, 3)).toEqual(rows.subarray(0, 3 * slot.valueBytes));
    expect(slot.readRows(61, 3)).toEqual(rows.subarray(61 * slot.valueBytes));
    const counts = [...slot.batches(10)].map(({ count }) => count);
    expect(counts).toEqual([10, 10, 10, 10, 10, 10, 4]);
    const value = Buffer.alloc(service.valueBytes);
    const fill = () => {
      for (let port = 0; port < 200; port += 1)
        service.update(Buffer.from([0, 0, 0, 0, 0, port, 6, 0]), value);
    };
    expect(fill).toThrow('Cannot write map "service": E2BIG (the table is full)');
    let entries = 0;
    for (const { count } of service.batches(7)) entries += count;
    expect(entries).toBe(100);
    for (const open of [...maps.values(), ...programs.values()]) open.close();
  });
});
