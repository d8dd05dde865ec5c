import type { FlowRow } from "./flow-rows.ts";
import { decodeFlow } from "./flow-rows.ts";
import type { Kernel } from "./kernel.ts";
import { CLOSE_MODE, FLOW_FORWARD, FLOW_STATE, LAYOUT, PROTOCOL_NUMBER } from "./layout.ts";
import type { Mirror } from "./mirror.ts";
import type { EbpfTimeouts } from "./options.ts";
import { addressNumber } from "./rows.ts";
import { pause } from "./snapshot.ts";
import { words } from "./words.ts";

const { flow: FLOW, flow_key: KEY } = LAYOUT;
const BATCH_COUNT = 4096;
const NS_PER_MS = 1e6;
const UDP_BIT = 2 ** 48;
/** One quiet REPLY entry in 32 is looked at more closely. */
const REPLY_TURNS = 31;

/** What one pass over the flow table saw and did. */
export interface SweepResult {
  readonly expiredCount: number;
  readonly entryCount: number;
  readonly halfOpenCount: number;
  /** Flows whose time is up because of their member or connect address, with their keys. */
  readonly cuts: readonly FlowRow[];
  /** By row of `member`: flows that count as its load. */
  readonly loads: Int32Array;
  /** By row of `member`: 1 when any entry points at it. */
  readonly referenced: Uint8Array;
}

/** Walks the flow table once: closes idle flows, finds those to cut, counts the rest. */
export async function sweepFlows(
  kernel: Kernel,
  mirror: Mirror,
  timeouts: EbpfTimeouts,
  nowMs: number,
): Promise<SweepResult> {
  const pass = createPass(kernel, mirror, timeouts, nowMs);
  for (const { keys, values, count } of kernel.maps.flow.batches(BATCH_COUNT)) {
    for (let place = 0; place < count; place += 1)
      pass.look(keys, place * KEY.size, values, place * FLOW.size);
    pass.flush();
    await pause();
  }
  pass.learnOrphans();
  return pass.result;
}

function createPass(kernel: Kernel, mirror: Mirror, timeouts: EbpfTimeouts, nowMs: number) {
  const memberCount = mirror.memberIndexes.endIndex();
  const cuts: FlowRow[] = [];
  const result = {
    expiredCount: 0,
    entryCount: 0,
    halfOpenCount: 0,
    cuts,
    loads: new Int32Array(memberCount),
    referenced: new Uint8Array(memberCount),
  };
  const idle = Buffer.alloc(BATCH_COUNT * 2 * KEY.size);
  let idleCount = 0;
  const limits = limitsOf(timeouts);
  const isLeaving = leavingAddresses(mirror, nowMs);
  const unowned = new Set<number>();

  return {
    result,
    look(keys: Buffer, keyAt: number, values: Buffer, at: number): void {
      result.entryCount += 1;
      const member = words.readU32(values, at + FLOW.member);
      if (member < memberCount) result.referenced[member] = 1;
      const state = words.readU32(values, at + FLOW.state);
      const idleMs = nowMs - words.readU64(values, at + FLOW.last_seen_ns) / NS_PER_MS;
      const isForward = values[at + FLOW.role] === FLOW_FORWARD;
      const isUdp = keys[keyAt + KEY.protocol] === PROTOCOL_NUMBER.UDP;
      const isTurn = ((result.entryCount + mirror.sweepRound) & REPLY_TURNS) === 0;
      if (idleMs > limits.of(isForward, isUdp, state, isTurn)) remember(keys, keyAt);
      if (isForward && state !== FLOW_STATE.closed) this.lookAtLive(keys, keyAt, values, at, member, state);
    },
    lookAtLive(keys: Buffer, keyAt: number, values: Buffer, at: number, member: number, state: number): void {
      if (state === FLOW_STATE.halfOpen) result.halfOpenCount += 1;
      if (member < memberCount) result.loads[member] = (result.loads[member] ?? 0) + 1;
      const isCut = (mirror.cutAtMs[member] ?? 0) <= nowMs || isLeaving(keys, keyAt, unowned);
      // What a packet has found cut already is still open: its silent side knows nothing yet.
      if (isCut) cuts.push(decodeFlow(keys, keyAt, values, at));
    },
    flush(): void {
      result.expiredCount += kernel.closeFlows(CLOSE_MODE.expired, idle, idleCount);
      idleCount = 0;
    },
    learnOrphans: () => learnOrphans(mirror, unowned),
  };

  function remember(keys: Buffer, keyAt: number): void {
    if ((idleCount + 1) * KEY.size > idle.length) return;
    keys.copy(idle, idleCount * KEY.size, keyAt, keyAt + KEY.size);
    idleCount += 1;
  }
}

/**
 * How long an entry may be quiet before the kernel is asked to look at both directions. Of the REPLY entries, which may
 * have lost their FORWARD one, some are looked at in each sweep.
 */
function limitsOf(timeouts: EbpfTimeouts) {
  const { establishedMs, halfOpenMs, closingMs, closedMs, datagramMs } = timeouts;
  const byState = [closedMs, halfOpenMs, establishedMs, closingMs, closedMs];
  const replyMs = Math.max(closedMs, halfOpenMs);
  return {
    of(isForward: boolean, isUdp: boolean, state: number, isTurn: boolean): number {
      if (isUdp) return datagramMs;
      if (isForward) return byState[state] ?? closedMs;
      return state === FLOW_STATE.closed || isTurn ? replyMs : establishedMs;
    },
  };
}

/** Tells whether a flow's connect address is gone, or closing and past its deadline. Notes those that nobody has. */
function leavingAddresses(mirror: Mirror, nowMs: number) {
  const due = new Set(mirror.orphanAddresses);
  for (const [number, deadlineMs] of mirror.closingAtMs) if (deadlineMs <= nowMs) due.add(number);
  return (keys: Buffer, keyAt: number, unowned: Set<number>): boolean => {
    const protocol = keys[keyAt + KEY.protocol] === PROTOCOL_NUMBER.UDP ? "UDP" : "TCP";
    const port = keys.readUInt16BE(keyAt + KEY.destination_port);
    const exact = addressNumber(keys.readUInt32BE(keyAt + KEY.destination), port, protocol);
    const everywhere = port + (protocol === "UDP" ? UDP_BIT : 0);
    if (due.has(exact)) return true;
    if (mirror.owners.has(exact)) return false;
    if (due.has(everywhere)) return true;
    if (!mirror.owners.has(everywhere)) unowned.add(exact);
    return false;
  };
}

/**
 * An address that nobody has in two sweeps in a row was removed by an agent that was killed before it cut the flows.
 * Twice, because the tables may be in the middle of a change.
 */
function learnOrphans(mirror: Mirror, unowned: ReadonlySet<number>): void {
  for (const number of unowned) if (mirror.suspectAddresses.has(number)) mirror.orphanAddresses.add(number);
  mirror.suspectAddresses = unowned;
}
