import { randomBytes } from "node:crypto";
import { mkdirSync, readFileSync, rmSync } from "node:fs";
import { type BpfMap, type LoadedObject, loadBpfObject, testRun } from "../../src/linux/index.ts";
import { emptyMaps, HASHES } from "./empty-maps.ts";
import {
  CONFIG,
  DROPS,
  FLOW,
  FLOW_KEY,
  type FlowKey,
  FORWARDING,
  MEMBER,
  POOL,
  SCHEDULER,
  SERVICE,
  SERVICE_KEY,
  SLOT,
  STATE,
  TRAFFIC,
} from "./layout.ts";
import { enterNamespace, run } from "./namespace.ts";
import { createPacer } from "./pacer.ts";
import { buildPacket, FLAGS, type Packet, parsePacket, TCP } from "./packet.ts";
import type { Codec, RecordOf } from "./record.ts";

const OBJECT =
  process.env["PARASAUS_BPF_OBJECT"] ?? new URL("../build/parasaus.bpf.o", import.meta.url).pathname;
const CAPACITIES = {
  slot: 8192,
  pool: 64,
  member: 4096,
  member_traffic: 4096,
  half_open_ring: 64,
  flow: 4096,
  affinity: 32,
};
const NEIGHBOURS = 18;
const CONTEXT_BYTES = 192;
const CONTEXT_INGRESS_IFINDEX = 36;
const CONTEXT_IFINDEX = 40;
/** What a run of a TC program said. */
const VERDICTS: Readonly<Record<number, Verdict>> = { 0: "ok", 2: "drop", 7: "redirect", 4294967295: "pass" };
export type Verdict = "ok" | "drop" | "redirect" | "pass";

export const NODE = {
  clientMac: "020000000001",
  memberMac: "020000000002",
  clientSide: "10.0.1.1",
  memberSide: "10.0.2.1",
};
/** Behind either device; every neighbour of theirs has this MAC address, the third byte telling the side. */
export const CLIENT = { ip: "10.0.1.2", mac: "02000000c001" };
export const MEMBER_MAC = "02000000c002";
export const CONNECT = { ip: "192.0.2.10", port: 80 };
export const SECOND_NS = 1_000_000_000n;

export interface Answer {
  readonly verdict: Verdict;
  /** The packet afterwards, its checksums checked; absent when it was dropped. */
  readonly packet: Packet;
  readonly bytes: Buffer;
}

/** One pool to program: members by index, in slot order. */
export interface PoolOptions {
  readonly ip?: string;
  /** 1-65535. */
  readonly port?: number;
  readonly protocol?: number;
  readonly scheduler?: keyof typeof SCHEDULER;
  readonly forwarding?: keyof typeof FORWARDING;
  /** Index into the pool map. */
  readonly pool?: number;
  /** First slot. */
  readonly at?: number;
  /** The sequence, or the Maglev table: member indexes. */
  readonly sequence: readonly number[];
  /** Weights of the eligible members; default 1. */
  readonly weights?: readonly number[];
  readonly affinitySeconds?: number;
  readonly closing?: boolean;
}

/** The programs loaded into a namespace with one client device and one member device. */
export type Programs = ReturnType<typeof openPrograms>;

export function openPrograms(capacities: Readonly<Record<string, number>> = {}) {
  const name = `pbpf-${randomBytes(4).toString("hex")}`;
  const pinFolder = `/sys/fs/bpf/${name}`;
  const namespace = enterNamespace(name);
  const held: Disposable = {
    [Symbol.dispose]() {
      rmSync(pinFolder, { recursive: true, force: true });
      namespace[Symbol.dispose]();
    },
  };
  try {
    makeDevices();
    mkdirSync(pinFolder);
    const object = loadBpfObject({ path: OBJECT, pinFolder, capacities: { ...CAPACITIES, ...capacities } });
    return { ...programsOf(object, held), sizes: sizesOf(capacities) };
  } catch (error) {
    held[Symbol.dispose]();
    throw error;
  }
}

/** Programs with empty tables: those of the test before where their tables have the sizes asked for. */
export function freshPrograms(
  last: Programs | undefined,
  capacities: Readonly<Record<string, number>> = {},
): Programs {
  if (last?.sizes === sizesOf(capacities)) {
    last.empty();
    return last;
  }
  last?.[Symbol.dispose]();
  return openPrograms(capacities);
}

function sizesOf(capacities: Readonly<Record<string, number>>): string {
  return JSON.stringify({ ...CAPACITIES, ...capacities });
}

function makeDevices(): void {
  const sides = [
    {
      device: "clients",
      mac: NODE.clientMac,
      address: NODE.clientSide,
      network: "10.0.1",
      neighbour: CLIENT.mac,
    },
    {
      device: "members",
      mac: NODE.memberMac,
      address: NODE.memberSide,
      network: "10.0.2",
      neighbour: MEMBER_MAC,
    },
  ];
  run("sysctl", "-qw", "net.ipv4.ip_forward=1");
  const commands = sides.flatMap(({ device, mac, address, network, neighbour }) => [
    "link set lo up",
    `link add ${device} address ${colons(mac)} type veth peer name ${device}-far`,
    `link set ${device}-far up`,
    `link set ${device} up`,
    `address add ${address}/24 dev ${device}`,
    ...Array.from(
      { length: NEIGHBOURS },
      (_, host) =>
        `neigh replace ${network}.${host + 2} lladdr ${colons(neighbour)} dev ${device} nud permanent`,
    ),
  ]);
  run("sh", "-c", `printf '%s\\n' "$@" | ip -batch -`, "sh", ...commands);
}

/** As `ip` writes MAC addresses. */
export function colons(mac: string): string {
  return mac.replaceAll(/..(?=.)/g, "$&:");
}

function programsOf(object: LoadedObject, held: Disposable) {
  const maps = mapsOf(object);
  const program = (name: string) => {
    const found = object.programs.get(name);
    if (found === undefined) throw new Error(`The object has no program "${name}"`);
    return found;
  };
  const pace = createPacer(HASHES.map(maps.map));
  const runPacket = (name: string, bytes: Buffer, ifindex: number, arrivedBy: number): Answer => {
    const context = Buffer.alloc(CONTEXT_BYTES);
    context.writeUInt32LE(arrivedBy, CONTEXT_INGRESS_IFINDEX);
    context.writeUInt32LE(ifindex, CONTEXT_IFINDEX);
    pace();
    const { returnCode, output } = testRun(program(name), { packet: bytes, context });
    const verdict = VERDICTS[returnCode];
    if (verdict === undefined) throw new Error(`Unknown verdict ${returnCode}`);
    return {
      verdict,
      bytes: output,
      get packet() {
        return parsePacket(output);
      },
    };
  };
  const clients = ifindexOf("clients");
  const members = ifindexOf("members");
  return {
    ...maps,
    program,
    devices: { clients, members },
    /** A packet that arrives from the clients' side; a SYN unless said otherwise. */
    fromClient: (packet: Partial<Packet> = {}) =>
      runPacket("tc_ingress", buildPacket({ ...FROM_CLIENT, ...packet }), clients, clients),
    /** A packet that arrives from a member. */
    fromMember: (packet: Partial<Packet> = {}) =>
      runPacket("tc_ingress", buildPacket({ ...FROM_MEMBER, ...packet }), members, members),
    raw: (bytes: Buffer) => runPacket("tc_ingress", bytes, clients, clients),
    /** Any bytes, by either hook and device. `isOwn`: sent by a socket of the node. */
    send: (hook: "ingress" | "egress", bytes: Buffer, side: "clients" | "members", isOwn = false) => {
      const device = side === "clients" ? clients : members;
      return runPacket(`tc_${hook}`, bytes, device, isOwn ? 0 : device);
    },
    /** A packet that leaves: `arrivedBy` 0 = sent by a socket of the node. */
    leaving: (packet: Partial<Packet>, arrivedBy = 0) =>
      runPacket("tc_egress", buildPacket({ ...FROM_MEMBER, ...packet }), clients, arrivedBy),
    syscall: (name: string, context: Buffer) => testRun(program(name), { context }),
    /** Maps with a dot are a program's own constants. */
    mapNames: [...object.maps.keys()].filter((name) => !name.includes(".")),
    /** Every table as it was when the programs were loaded. */
    empty: () => emptyMaps(object.maps),
    [Symbol.dispose]() {
      for (const map of object.maps.values()) map.close();
      for (const each of object.programs.values()) each.close();
      held[Symbol.dispose]();
    },
  };
}

/** What `fromClient` sends unless told otherwise: a SYN to the connect address. */
export const FROM_CLIENT: Packet = {
  destinationMac: NODE.clientMac,
  sourceMac: CLIENT.mac,
  source: CLIENT.ip,
  destination: CONNECT.ip,
  protocol: TCP,
  sourcePort: 40_000,
  destinationPort: CONNECT.port,
  ttl: 64,
  flags: FLAGS.SYN,
  sequence: 1000,
  ack: 0,
  ipOptions: "",
  tcpOptions: "",
  payload: "",
  fragment: 0x4000,
  zeroChecksum: false,
};
const FROM_MEMBER: Packet = {
  ...FROM_CLIENT,
  destinationMac: NODE.memberMac,
  sourceMac: MEMBER_MAC,
  source: "10.0.2.2",
  destination: NODE.memberSide,
  sourcePort: 8080,
  destinationPort: 1024,
};

/** Asked of `ip`: `/sys` shows the devices of the namespace that it was mounted in. */
function ifindexOf(device: string): number {
  return Number(run("ip", "-o", "link", "show", device).split(":")[0]);
}

/** Maps as tests fill and read them. */
function mapsOf(object: LoadedObject) {
  const map = (name: string): BpfMap => {
    const found = object.maps.get(name);
    if (found === undefined) throw new Error(`The object has no map "${name}"`);
    return found;
  };
  // biome-ignore lint/suspicious/noExplicitAny: the shape is the codec's own
  const read = <Shape extends Record<string, any>>(name: string, key: Uint8Array, codec: Codec<Shape>) => {
    const value = Buffer.alloc(map(name).valueBytes);
    return map(name).lookup(key, value) ? codec.decode(value) : undefined;
  };
  const writeMember = (index: number, member: Partial<RecordOf<MemberShape>> = {}) =>
    map("member").update(
      indexKey(index),
      MEMBER.encode({
        address: `10.0.2.${index + 1}`,
        port: 8080,
        state: STATE.active,
        pool: 1,
        weight: 1,
        source: NODE.memberSide,
        ...member,
      }),
    );
  return {
    map,
    configure(changes: Partial<RecordOf<ConfigShape>> = {}) {
      map("config").update(indexKey(0), CONFIG.encode({ ...DEFAULTS, ...changes }));
    },
    writeMember,
    member: (index: number) => read("member", indexKey(index), MEMBER),
    load: (index: number) => Number(read("member", indexKey(index), MEMBER)?.load),
    traffic: (index: number) => sumPerCpu(map("member_traffic"), index),
    publish(options: PoolOptions) {
      const { at = 0, pool = 1, sequence } = options;
      map("pool").update(indexKey(pool), POOL.encode({ uid: "ab".repeat(16) }));
      sequence.forEach((member, place) => {
        map("slot").update(
          indexKey(at + place),
          SLOT.encode({ member, weight: options.weights?.[place] ?? 1 }),
        );
      });
      const key = {
        address: options.ip ?? CONNECT.ip,
        port: options.port ?? CONNECT.port,
        protocol: options.protocol ?? TCP,
      };
      map("service").update(SERVICE_KEY.encode(key), serviceOf(options));
    },
    flow: (key: FlowKey) => read("flow", FLOW_KEY.encode(key), FLOW),
    patchFlow(key: FlowKey, changes: Partial<RecordOf<FlowShape>>) {
      const found = read("flow", FLOW_KEY.encode(key), FLOW);
      if (found === undefined) throw new Error("No such flow");
      map("flow").update(FLOW_KEY.encode(key), FLOW.encode({ ...found, ...changes }));
    },
    flowCount: () => [...map("flow").batches(256)].reduce((sum, batch) => sum + batch.count, 0),
    drops: () => dropsOf(map("drops")),
  };
}
type ShapeOf<Given> = Given extends Codec<infer Shape> ? Shape : never;
type MemberShape = ShapeOf<typeof MEMBER>;
type ConfigShape = ShapeOf<typeof CONFIG>;
type FlowShape = ShapeOf<typeof FLOW>;

/** Times so short that a machine which booted a moment ago has lived through them. */
const DEFAULTS = {
  established_ns: 12n * SECOND_NS,
  half_open_ns: 4n * SECOND_NS,
  closing_ns: 10n * SECOND_NS,
  closed_ns: 6n * SECOND_NS,
  datagram_ns: 8n * SECOND_NS,
  route_epoch: 1,
  half_open_count: 64,
  source_port_first: 1024,
  source_port_last: 29_999,
};

function serviceOf(options: PoolOptions): Buffer {
  const { at = 0, pool = 1, sequence } = options;
  return SERVICE.encode({
    pool_uid: "ab".repeat(16),
    pool,
    sequence_at: at,
    sequence_count: sequence.length,
    eligible_at: at,
    eligible_count: sequence.length,
    affinity_seconds: options.affinitySeconds ?? 0,
    closing_deadline_ns: options.closing ? now() + 30n * SECOND_NS : 0n,
    scheduler: SCHEDULER[options.scheduler ?? "rr"],
    forwarding: FORWARDING[options.forwarding ?? "fullnat"],
  });
}

/** What bpf_ktime_get_ns() says: CLOCK_MONOTONIC. */
export function now(): bigint {
  return process.hrtime.bigint();
}

export function indexKey(index: number): Buffer {
  return SLOT.encode({ member: index }).subarray(0, 4);
}

function dropsOf(map: BpfMap): Readonly<Record<string, number>> {
  const value = Buffer.alloc(map.valueBytes);
  const counted = DROPS.map((name, index) => {
    map.lookup(indexKey(index), value);
    const perCpu = new BigUint64Array(value.buffer, value.byteOffset, value.length / 8);
    return [name, perCpu.reduce((sum, count) => sum + Number(count), 0)] as const;
  });
  return Object.fromEntries(counted.filter(([, count]) => count > 0));
}

function sumPerCpu(map: BpfMap, index: number): RecordOf<ShapeOf<typeof TRAFFIC>> {
  const value = Buffer.alloc(map.valueBytes);
  map.lookup(indexKey(index), value);
  const sum = { connections: 0n, packets_in: 0n, bytes_in: 0n, packets_out: 0n, bytes_out: 0n };
  for (let at = 0; at < value.length; at += TRAFFIC.sizeBytes) {
    const cpu = TRAFFIC.decode(value.subarray(at, at + TRAFFIC.sizeBytes));
    for (const name of Object.keys(sum) as (keyof typeof sum)[]) sum[name] += cpu[name];
  }
  return sum;
}

/** Whether this machine lets the tests run; else why not. */
export function missingForPrograms(): string | undefined {
  if (process.getuid?.() !== 0) return "root is needed to load eBPF programs";
  try {
    readFileSync(OBJECT);
  } catch {
    return `"${OBJECT}" is not built`;
  }
  return undefined;
}
