import { rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import type {
  IpvsCommand,
  IpvsDestinationSettings,
  IpvsFailure,
  IpvsServiceEntry,
  IpvsServiceKey,
  IpvsServiceSettings,
} from "../../src/linux/index.ts";
import { missingForIpvs } from "../lab/ipvs-world.ts";
import { makeNamespace, type Namespace } from "../lab/namespaces.ts";
import { type Remote, startRemote } from "../lab/remote.ts";

const NO_FLAGS = { persistent: false, onePacket: false, sched1: false, sched2: false, sched3: false };
const WEB: IpvsServiceKey = { kind: "address", family: 4, protocol: "TCP", ip: "10.9.0.1", port: 80 };
const MEMBER: IpvsDestinationSettings = {
  family: 4,
  ip: "10.9.1.1",
  port: 8080,
  forwarding: "masq",
  weight: 1,
  upperThreshold: 0,
  lowerThreshold: 0,
};
/** With 35,000, as many as a node has connect addresses, `ipvsadm` alone takes most of a minute. */
const SERVICES = Number(process.env["PARASAUS_IPVS_SERVICES"] ?? 300);
const missing = missingForIpvs();

let node: Namespace;
let table: Remote;

function service(key: IpvsServiceKey, changes: Partial<IpvsServiceSettings> = {}): IpvsServiceSettings {
  return { key, scheduler: "rr", flags: NO_FLAGS, persistenceSeconds: 0, netmask: 32, ...changes };
}

function execute(...commands: readonly IpvsCommand[]): Promise<readonly IpvsFailure[]> {
  return table.call("execute", commands) as Promise<readonly IpvsFailure[]>;
}

function dump(): Promise<readonly IpvsServiceEntry[]> {
  return table.call("dump") as Promise<readonly IpvsServiceEntry[]>;
}

/** As ipvsadm sees the table, which this program did not write through. */
function ipvsadm(): readonly string[] {
  return node.run("ipvsadm", "-Sn").split("\n").filter(Boolean);
}

describe.skipIf(missing)(`IPVS table${missing}`, () => {
  beforeAll(async () => {
    node = makeNamespace("ipvs");
    table = await startRemote(node, "ipvs-host.ts");
  });
  afterAll(async () => {
    await table?.end();
    await node?.[Symbol.asyncDispose]();
  });
  beforeEach(() => {
    node.run("ipvsadm", "-C");
  });

  it("adds, reads, changes and deletes services and destinations, and ipvsadm sees the same", async () => {
    const destination = { ...MEMBER, upperThreshold: 100, lowerThreshold: 50 };
    expect(
      await execute(
        { kind: "add-service", service: service(WEB, { scheduler: "wlc" }) },
        { kind: "add-destination", service: WEB, destination },
      ),
    ).toEqual([]);
    expect(await dump()).toMatchObject([
      {
        service: { ...service(WEB, { scheduler: "wlc" }), stats: { connections: 0 } },
        destinations: [{ ...destination, activeConnections: 0, stats: { inBytes: 0 } }],
      },
    ]);
    expect(ipvsadm()).toEqual([
      "-A -t 10.9.0.1:80 -s wlc",
      // It prints no thresholds here.
      "-a -t 10.9.0.1:80 -r 10.9.1.1:8080 -m -w 1",
    ]);
    await execute(
      { kind: "edit-service", service: service(WEB) },
      { kind: "edit-destination", service: WEB, destination: { ...MEMBER, weight: 0 } },
    );
    expect(ipvsadm()).toEqual(["-A -t 10.9.0.1:80 -s rr", "-a -t 10.9.0.1:80 -r 10.9.1.1:8080 -m -w 0"]);
    await execute({ kind: "delete-destination", service: WEB, destination: MEMBER });
    expect(await dump()).toMatchObject([{ destinations: [] }]);
    await execute({ kind: "delete-service", key: WEB });
    expect([await dump(), ipvsadm()]).toEqual([[], []]);
  });

  it("knows IPv6, SCTP, marks, persistence with a netmask, one-packet mode and schedulers' switches", async () => {
    const names: IpvsServiceKey = {
      kind: "address",
      family: 6,
      protocol: "UDP",
      ip: "2001:db8::1",
      port: 53,
    };
    const signalling: IpvsServiceKey = {
      kind: "address",
      family: 4,
      protocol: "SCTP",
      ip: "10.9.0.2",
      port: 0,
    };
    const mark: IpvsServiceKey = { kind: "mark", family: 6, mark: 4_000_000_000 };
    const persistent = { ...NO_FLAGS, persistent: true };
    const settings = [
      service(names, { flags: { ...NO_FLAGS, onePacket: true }, netmask: 128 }),
      service(signalling, { flags: persistent, persistenceSeconds: 60, netmask: 24 }),
      service(mark, {
        scheduler: "sh",
        flags: { ...persistent, sched2: true },
        persistenceSeconds: 300,
        netmask: 64,
      }),
    ];
    const member = { ...MEMBER, family: 6, ip: "2001:db8::2", port: 5353 } as const;
    expect(
      await execute(...settings.map((each): IpvsCommand => ({ kind: "add-service", service: each })), {
        kind: "add-destination",
        service: names,
        destination: member,
      }),
    ).toEqual([]);
    const found = await dump();
    const byName = (entries: readonly { service: { key: IpvsServiceKey } }[]) =>
      [...entries].sort((one, other) =>
        JSON.stringify(one.service.key).localeCompare(JSON.stringify(other.service.key)),
      );
    const wanted = settings.map((each) => ({
      service: each,
      destinations: each.key === names ? [member] : [],
    }));
    expect(byName(found)).toMatchObject(byName(wanted));
    for (const each of found) expect(await table.call("service", each.service.key)).toEqual(each.service);
    expect(await table.call("service", WEB)).toBeNull();
    // It prints marks as signed numbers.
    expect(ipvsadm()).toContain("-A -f -294967296 -6 -s sh -p 300 -M 64 -b sh-port");
  });

  it("names object and cause of each refusal and carries out the others", async () => {
    const other: IpvsServiceKey = { ...WEB, port: 81 };
    const stranger = { family: 4, ip: "10.9.1.9", port: 1 } as const;
    const failures = await execute(
      { kind: "add-service", service: service(WEB) },
      { kind: "add-service", service: service(WEB) },
      { kind: "add-service", service: service(other, { scheduler: "zz" }) },
      { kind: "edit-service", service: service(other) },
      { kind: "delete-destination", service: WEB, destination: stranger },
      { kind: "add-destination", service: other, destination: MEMBER },
      { kind: "add-destination", service: WEB, destination: { ...MEMBER, ip: "10.9.1" } },
      { kind: "add-destination", service: WEB, destination: MEMBER },
      { kind: "add-destination", service: WEB, destination: MEMBER },
    );
    expect(failures.map(({ index, errno, message }) => [index, errno, message])).toEqual([
      [1, "EEXIST", "Cannot add service TCP 10.9.0.1:80: it exists already (EEXIST)"],
      [
        2,
        "ENOENT",
        'Cannot add service TCP 10.9.0.1:81: the kernel has no scheduler "zz" (module ip_vs_zz) (ENOENT)',
      ],
      [3, "ESRCH", "Cannot edit service TCP 10.9.0.1:81: there is no such service (ESRCH)"],
      [
        4,
        "ENOENT",
        "Cannot delete destination 10.9.1.9:1 of service TCP 10.9.0.1:80: the service has no such destination (ENOENT)",
      ],
      [
        5,
        "ESRCH",
        "Cannot add destination 10.9.1.1:8080 of service TCP 10.9.0.1:81: there is no such service (ESRCH)",
      ],
      [
        6,
        "EINVAL",
        'Cannot add destination 10.9.1:8080 of service TCP 10.9.0.1:80: "10.9.1" is no IPv4 address (EINVAL)',
      ],
      [
        8,
        "EEXIST",
        "Cannot add destination 10.9.1.1:8080 of service TCP 10.9.0.1:80: it exists already (EEXIST)",
      ],
    ]);
    expect(ipvsadm()).toEqual(["-A -t 10.9.0.1:80 -s rr", "-a -t 10.9.0.1:80 -r 10.9.1.1:8080 -m -w 1"]);
  });

  it("counts what it balances, reads and writes time-outs, and counts its writing messages", async () => {
    const before = (await table.call("counts")) as { writes: number };
    const timeouts = { tcpSeconds: 901, tcpFinSeconds: 121, udpSeconds: 301 };
    await table.call("setTimeouts", timeouts);
    expect(await table.call("timeouts")).toEqual(timeouts);
    expect(await table.call("info")).toMatchObject({ version: expect.stringMatching(/^1\.\d+\.\d+$/) });
    // Nobody listens at the destination: the kernel counts the attempt all the same.
    await execute(
      { kind: "add-service", service: service({ ...WEB, ip: "127.0.0.1" }) },
      {
        kind: "add-destination",
        service: { ...WEB, ip: "127.0.0.1" },
        destination: { ...MEMBER, ip: "127.0.0.1" },
      },
    );
    expect(() => node.run("curl", "-sS", "--max-time", "5", "http://127.0.0.1:80/")).toThrow("curl");
    // The kernel sums its counters up every two seconds.
    await expect
      .poll(dump, { timeout: 30_000 })
      .toMatchObject([
        { service: { stats: { connections: 1 } }, destinations: [{ stats: { connections: 1 } }] },
      ]);
    expect(await table.call("counts")).toEqual({ writes: before.writes + 3, resyncs: 0 });
  });

  it("starts, lists and stops the synchronisation daemons, and names what is wrong", async () => {
    node.run("ip", "link", "add", "sync0", "type", "dummy");
    node.run("ip", "address", "add", "10.9.9.1/24", "dev", "sync0");
    node.run("ip", "link", "set", "sync0", "up");
    const daemon = { state: "master", interface: "sync0", syncId: 5, multicastGroup: "224.0.1.9" } as const;
    const chosen = { ...daemon, multicastPort: 9000, multicastTtl: 4, maximumBytes: 1_000 };
    await table.call("startDaemon", chosen);
    try {
      expect(await table.call("daemons")).toEqual([chosen]);
      await expect(table.call("startDaemon", chosen)).rejects.toThrow(
        'Cannot start the IPVS master daemon on "sync0": EEXIST',
      );
    } finally {
      await table.call("stopDaemon", "master");
    }
    expect(await table.call("daemons")).toEqual([]);
    await expect(table.call("stopDaemon", "master")).rejects.toThrow(
      "Cannot stop the IPVS master daemon: ESRCH",
    );
    await expect(table.call("startDaemon", { ...daemon, interface: "nowhere" })).rejects.toThrow("ENODEV");
  });

  it(`loads and reads ${SERVICES} services with two destinations each faster than ipvsadm`, async () => {
    const ours = (await table.call("measure", SERVICES)) as Measured;
    expect(ours).toMatchObject({ failureCount: 0, serviceCount: SERVICES, destinationCount: 2 * SERVICES });
    const saveMs = timed(() => node.run("ipvsadm", "-Sn"));
    const saved = ipvsadm();
    expect(saved).toHaveLength(3 * SERVICES);
    node.run("ipvsadm", "-C");
    const file = path.join(tmpdir(), `paratest-ipvs-${process.pid}`);
    writeFileSync(file, saved.join("\n"));
    const restoreMs = timed(() => node.run("sh", "-c", `ipvsadm -R < ${file}`));
    rmSync(file);
    expect(ipvsadm()).toHaveLength(3 * SERVICES);
    process.stdout.write(
      `IPVS n=${SERVICES} x 2: load ${seconds(ours.loadMs)} s, ipvsadm -R ${seconds(restoreMs)} s, ratio ${ratio(ours.loadMs, restoreMs)}; dump ${seconds(ours.dumpMs)} s, ipvsadm -Sn ${seconds(saveMs)} s, ratio ${ratio(ours.dumpMs, saveMs)}\n`,
    );
    // The machine's load decides on the times; side by side, their ratio stands.
    expect(ours.loadMs).toBeLessThan(restoreMs);
    expect(ours.dumpMs).toBeLessThan(saveMs);
  });
});

interface Measured {
  readonly loadMs: number;
  readonly dumpMs: number;
}

function timed(work: () => unknown): number {
  const startMs = performance.now();
  work();
  return performance.now() - startMs;
}

function seconds(ms: number): string {
  return (ms / 1000).toFixed(1);
}

function ratio(ours: number, theirs: number): string {
  return (theirs / ours).toFixed(1);
}
