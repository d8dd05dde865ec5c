import { ParasausError } from "../../foundation/index.ts";
import { type BpfMap, type BpfProgram, testRun } from "../../linux/index.ts";
import { CLOSE_BATCH, LAYOUT, WRITE_BATCH } from "./layout.ts";
import { words } from "./words.ts";

/** The maps of the object file. */
export const MAP_NAMES = [
  "service",
  "slot",
  "pool",
  "member",
  "member_traffic",
  "flow",
  "half_open_ring",
  "half_open_head",
  "affinity",
  "local_flow",
  "local_datagram",
  "node_address",
  "config",
  "drops",
] as const;

export type MapName = (typeof MAP_NAMES)[number];
export type KernelMaps = Readonly<Record<MapName, BpfMap>>;

/** One row to write with `write_members`. */
export interface MemberWrite {
  readonly index: number;
  readonly row: Buffer;
}

/** The tables and programs of this node, open. */
export interface Kernel {
  readonly maps: KernelMaps;
  /** Writes rows of `member` and leaves the loads that the kernel counts alone. */
  writeMembers(writes: readonly MemberWrite[]): void;
  /**
   * Closes flows after a second look in the kernel.
   *
   * @param keys `count` keys of FORWARD entries, or of REPLY ones that lost theirs.
   * @returns how many were closed.
   */
  closeFlows(mode: number, keys: Buffer, count: number): number;
  /** Adds to a member's load. */
  adjustLoad(member: number, delta: number): void;
}

/** @throws ParasausError `KernelUnsupported` when the object file lacks a map or program that this version needs */
export function createKernel(
  maps: ReadonlyMap<string, BpfMap>,
  programs: ReadonlyMap<string, BpfProgram>,
): Kernel {
  const found = Object.fromEntries(MAP_NAMES.map((name) => [name, required(maps, name)])) as KernelMaps;
  const writeMembers = required(programs, "write_members");
  const closeFlows = required(programs, "close_flows");
  const adjustLoad = required(programs, "adjust_load");
  return {
    maps: found,
    writeMembers(writes) {
      for (let at = 0; at < writes.length; at += WRITE_BATCH) {
        const batch = writes.slice(at, at + WRITE_BATCH);
        const context = encodeMemberWrites(batch);
        testRun(writeMembers, { context });
        const written = words.readU32(context, LAYOUT.write_members_request.written);
        if (written === batch.length) continue;
        throw new ParasausError(
          "KernelError",
          `Cannot write members: the kernel took ${written} of ${batch.length}`,
        );
      }
    },
    closeFlows(mode, keys, count) {
      let closed = 0;
      for (let at = 0; at < count; at += CLOSE_BATCH) {
        const context = encodeCloseRequest(mode, keys, at, Math.min(CLOSE_BATCH, count - at));
        testRun(closeFlows, { context });
        closed += words.readU32(context, LAYOUT.close_request.closed);
      }
      return closed;
    },
    adjustLoad(member, delta) {
      const context = Buffer.alloc(LAYOUT.adjust_load_request.size);
      words.writeU32(context, member, LAYOUT.adjust_load_request.member);
      words.writeI32(context, delta, LAYOUT.adjust_load_request.delta);
      testRun(adjustLoad, { context });
    },
  };
}

function required<Value>(from: ReadonlyMap<string, Value>, name: string): Value {
  const value = from.get(name);
  if (value !== undefined) return value;
  throw new ParasausError("KernelUnsupported", `Cannot use the BPF object: it has no "${name}"`);
}

function encodeMemberWrites(writes: readonly MemberWrite[]): Buffer {
  const { write_members_request: request, member_write: entry } = LAYOUT;
  const context = Buffer.alloc(request.size);
  words.writeU32(context, writes.length, request.count);
  for (const [place, { index, row }] of writes.entries()) {
    const at = request.members + place * entry.size;
    words.writeU32(context, index, at + entry.index);
    row.copy(context, at + entry.value);
  }
  return context;
}

function encodeCloseRequest(mode: number, keys: Buffer, from: number, count: number): Buffer {
  const { close_request: request, flow_key: key } = LAYOUT;
  const context = Buffer.alloc(request.size);
  words.writeU32(context, mode, request.mode);
  words.writeU32(context, count, request.count);
  keys.copy(context, request.keys, from * key.size, (from + count) * key.size);
  return context;
}
