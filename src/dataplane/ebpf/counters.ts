import { formatIpv4 } from "../../foundation/index.ts";
import type { DriverCounters, MemberCounters } from "../driver.ts";
import type { Kernel } from "./kernel.ts";
import { DROP_NAMES, LAYOUT } from "./layout.ts";
import type { FlowTableSize } from "./maintenance.ts";
import type { Mirror } from "./mirror.ts";
import { pause } from "./snapshot.ts";
import { words } from "./words.ts";

const BATCH_COUNT = 4096;
/** A larger table is not walked again for its size: the last sweep's figure is at most seconds old. */
const WALKED_ENTRY_COUNT = 100_000;
const { member: MEMBER, member_traffic: TRAFFIC } = LAYOUT;
const FIGURE_COUNT = TRAFFIC.size / 8;

/** What is read. */
interface Question {
  /** Of all pools when absent. */
  readonly poolUids: readonly string[] | undefined;
  /** What the last sweep found. */
  readonly lastSize: FlowTableSize | undefined;
}

/** Reads what the kernel counts. */
export async function readCounters(
  kernel: Kernel,
  mirror: Mirror,
  { poolUids, lastSize }: Question,
): Promise<DriverCounters> {
  const size =
    lastSize && lastSize.entryCount > WALKED_ENTRY_COUNT ? lastSize : await countFlowEntries(kernel);
  return {
    members: await readMembers(kernel, mirror, poolUids),
    drops: readDrops(kernel),
    flowEntryCount: size.entryCount,
    flowEntryCapacityCount: kernel.maps.flow.capacityCount,
    halfOpenCount: size.halfOpenCount,
  };
}

async function countFlowEntries(kernel: Kernel) {
  const { flow } = LAYOUT;
  let entryCount = 0;
  let halfOpenCount = 0;
  for (const { values, count } of kernel.maps.flow.batches(BATCH_COUNT)) {
    entryCount += count;
    // A REPLY entry's state is 0 or closed, so that only FORWARD ones are seen here.
    for (let at = 0; at < count * flow.size; at += flow.size) {
      if (words.readU32(values, at + flow.state) === 1) halfOpenCount += 1;
    }
    await pause();
  }
  return { entryCount, halfOpenCount };
}

/** What is counted for one member: its load, then five figures. */
interface Figures {
  readonly load: number;
  readonly traffic: Float64Array;
}

type FiguresAt = (index: number) => Figures;

async function readMembers(
  kernel: Kernel,
  mirror: Mirror,
  poolUids: readonly string[] | undefined,
): Promise<MemberCounters[]> {
  const figuresAt = poolUids ? readEach(kernel) : await readAll(kernel, mirror);
  const records = poolUids?.flatMap((uid) => mirror.pools.get(uid.toLowerCase()) ?? []);
  const members: MemberCounters[] = [];
  for (const record of records ?? mirror.pools.values()) {
    for (const [place, index] of record.members) {
      if (mirror.tombstones.has(index)) continue;
      members.push({
        ...{ poolUid: record.uid, ip: formatIpv4(Math.floor(place / 0x10000)), port: place % 0x10000 },
        ...named(figuresAt(index)),
      });
    }
  }
  return members;
}

function named({ load, traffic }: Figures): Omit<MemberCounters, "poolUid" | "ip" | "port"> {
  const [totalConnections = 0, packetsIn = 0, bytesIn = 0, packetsOut = 0, bytesOut = 0] = traffic;
  const activeConnections = Math.max(0, load);
  return { activeConnections, totalConnections, packetsIn, bytesIn, packetsOut, bytesOut };
}

function readEach({ maps }: Kernel): FiguresAt {
  const key = Buffer.alloc(4);
  const member = Buffer.alloc(maps.member.valueBytes);
  const cpus = Buffer.alloc(maps.member_traffic.valueBytes);
  return (index) => {
    words.writeU32(key, index, 0);
    maps.member.lookup(key, member);
    maps.member_traffic.lookup(key, cpus);
    const traffic = new Float64Array(FIGURE_COUNT);
    addCpus(cpus, 0, cpus.length, traffic, 0);
    return { load: words.readI64(member, MEMBER.load), traffic };
  };
}

async function readAll(kernel: Kernel, mirror: Mirror): Promise<FiguresAt> {
  const loads = await readLoads(kernel, mirror);
  const traffic = await readTraffic(kernel, mirror);
  return (index) => ({
    load: loads[index] ?? 0,
    traffic: traffic.subarray(index * FIGURE_COUNT, (index + 1) * FIGURE_COUNT),
  });
}

async function readLoads(kernel: Kernel, mirror: Mirror): Promise<Float64Array> {
  const loads = new Float64Array(mirror.memberIndexes.endIndex());
  let index = 0;
  for (const { values, count } of kernel.maps.member.batches(BATCH_COUNT)) {
    for (let place = 0; place < count && index < loads.length; place += 1, index += 1) {
      loads[index] = words.readI64(values, place * MEMBER.size + MEMBER.load);
    }
    if (index >= loads.length) break;
    await pause();
  }
  return loads;
}

/** Sums over the CPUs: five figures a member. */
async function readTraffic(kernel: Kernel, mirror: Mirror): Promise<Float64Array> {
  const map = kernel.maps.member_traffic;
  const sums = new Float64Array(mirror.memberIndexes.endIndex() * FIGURE_COUNT);
  let at = 0;
  for (const { values, count } of map.batches(BATCH_COUNT)) {
    for (let row = 0; row < count && at < sums.length; row += 1, at += FIGURE_COUNT) {
      addCpus(values, row * map.valueBytes, map.valueBytes, sums, at);
    }
    if (at >= sums.length) break;
    await pause();
  }
  return sums;
}

function addCpus(values: Buffer, from: number, bytes: number, sums: Float64Array, at: number): void {
  for (let offset = 0; offset < bytes; offset += 8) {
    const figure = at + (offset % TRAFFIC.size) / 8;
    sums[figure] = (sums[figure] ?? 0) + words.readU64(values, from + offset);
  }
}

function readDrops(kernel: Kernel): Record<string, number> {
  const drops: Record<string, number> = {};
  const map = kernel.maps.drops;
  let reason = 0;
  for (const { values, count } of map.batches(64)) {
    for (let row = 0; row < count; row += 1, reason += 1) {
      const name = DROP_NAMES[reason];
      if (name === undefined || reason === 0) continue;
      let sum = 0;
      for (let at = 0; at < map.valueBytes; at += 8) sum += words.readU64(values, row * map.valueBytes + at);
      drops[name] = sum;
    }
  }
  return drops;
}
