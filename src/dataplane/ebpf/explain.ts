import { formatIpv4, ParasausError, parseIpv4 } from "../../foundation/index.ts";
import { listSockets } from "../../linux/index.ts";
import type { FlowExplanation, FlowTuple } from "../driver.ts";
import { decodeFlow, encodeFlowKey, type FlowRow, oppositeKey } from "./flow-rows.ts";
import type { Kernel } from "./kernel.ts";
import { FLOW_FORWARD, FLOW_STATE, LAYOUT, PROTOCOL_NUMBER } from "./layout.ts";
import { decodeMember, decodeUid, dispositionOf } from "./rows.ts";
import { pause } from "./snapshot.ts";
import { indexKey, words } from "./words.ts";

const BATCH_COUNT = 4096;
const STATES = ["closed", "half-open", "established", "closing", "closed"] as const;
const REASONS = ["scheduled", "scheduled", "affinity", "adopted", "rescheduled"] as const;

/** What the kernel's own entry says of a flow; undefined when it holds none. */
export function explainFlow(kernel: Kernel, flow: FlowTuple, nowMs: number): FlowExplanation | undefined {
  const source = parseIpv4(flow.clientIp);
  const destination = parseIpv4(flow.ip);
  if (source === undefined || destination === undefined) {
    throw new ParasausError(
      "BadRequest",
      `Cannot explain a flow: "${flow.clientIp}" or "${flow.ip}" is no IPv4 address`,
    );
  }
  const key = encodeFlowKey({
    source,
    sourcePort: flow.clientPort,
    destination,
    destinationPort: flow.port,
    protocol: PROTOCOL_NUMBER[flow.protocol],
  });
  const value = Buffer.alloc(LAYOUT.flow.size);
  if (!kernel.maps.flow.lookup(key, value)) return explainLocal(kernel, flow, nowMs);
  const row = decodeFlow(key, 0, value, 0);
  return row.role === FLOW_FORWARD ? describe(kernel, row, nowMs) : undefined;
}

/** Flows of one pool that are not closed, at most `limitCount`. */
export async function listFlows(
  kernel: Kernel,
  poolIndex: number,
  limitCount: number,
  nowMs: number,
): Promise<FlowExplanation[]> {
  const found: FlowExplanation[] = [];
  const { flow, flow_key } = LAYOUT;
  for (const { keys, values, count } of kernel.maps.flow.batches(BATCH_COUNT)) {
    for (let place = 0; place < count && found.length < limitCount; place += 1) {
      const at = place * flow.size;
      if (!isLiveOf(poolIndex, values, at)) continue;
      found.push(describe(kernel, decodeFlow(keys, place * flow_key.size, values, at), nowMs));
    }
    if (found.length >= limitCount) break;
    await pause();
  }
  return found;
}

function isLiveOf(poolIndex: number, values: Buffer, at: number): boolean {
  const { flow } = LAYOUT;
  return (
    values[at + flow.role] === FLOW_FORWARD &&
    words.readU32(values, at + flow.pool) === poolIndex &&
    words.readU32(values, at + flow.state) !== FLOW_STATE.closed
  );
}

function describe(kernel: Kernel, row: FlowRow, nowMs: number): FlowExplanation {
  const key = oppositeKey(row);
  const value = Buffer.alloc(LAYOUT.flow.size);
  const replySeenNs = kernel.maps.flow.lookup(key, value) ? decodeFlow(key, 0, value, 0).lastSeenNs : 0;
  const lastSeenMs = Math.max(row.lastSeenNs, replySeenNs) / 1e6;
  const isTranslated = row.newSource !== row.source || row.newSourcePort !== row.sourcePort;
  return {
    flow: {
      protocol: row.protocol === PROTOCOL_NUMBER.UDP ? "UDP" : "TCP",
      clientIp: formatIpv4(row.source),
      clientPort: row.sourcePort,
      ip: formatIpv4(row.destination),
      port: row.destinationPort,
    },
    ...describeMember(kernel, row.member),
    memberIp: formatIpv4(row.newDestination),
    memberPort: row.newDestinationPort,
    state: STATES[row.state] ?? "closed",
    why: REASONS[row.why] ?? "scheduled",
    ageMs: Math.max(0, nowMs - row.createdNs / 1e6),
    idleMs: Math.max(0, nowMs - lastSeenMs),
    ...(isTranslated ? { translatedSource: `${formatIpv4(row.newSource)}:${row.newSourcePort}` } : {}),
  };
}

function describeMember(kernel: Kernel, index: number) {
  const bytes = Buffer.alloc(LAYOUT.member.size);
  kernel.maps.member.lookup(indexKey(index), bytes);
  const row = decodeMember(bytes, 0);
  return {
    poolUid: decodeUid(bytes, LAYOUT.member.pool_uid),
    memberIp: formatIpv4(row.address),
    memberPort: row.port,
    memberDisposition: dispositionOf(row.state) ?? "cut",
  } as const;
}

/** A connection of this machine's own: its socket leads to the entry. */
function explainLocal(kernel: Kernel, flow: FlowTuple, nowMs: number): FlowExplanation | undefined {
  const { local_flow: LOCAL } = LAYOUT;
  if (flow.protocol === "SCTP") return undefined;
  const socket = listSockets(flow.protocol).find(
    ({ localIp, localPort }) => localPort === flow.clientPort && localIp === flow.clientIp,
  );
  if (socket === undefined) return undefined;
  const key = Buffer.alloc(8);
  words.writeBigU64(key, socket.cookie, 0);
  const value = Buffer.alloc(LOCAL.size);
  if (!kernel.maps.local_flow.lookup(key, value)) return undefined;
  const ageMs = Math.max(0, nowMs - words.readU64(value, LOCAL.created_ns) / 1e6);
  return {
    flow: {
      ...flow,
      ip: formatIpv4(value.readUInt32BE(LOCAL.address)),
      port: value.readUInt16BE(LOCAL.port),
    },
    ...describeMember(kernel, words.readU32(value, LOCAL.member)),
    state: "local",
    why: REASONS[value[LOCAL.why] ?? 0] ?? "scheduled",
    ageMs,
    // Its packets pass no program of ours: only the connect is known.
    idleMs: ageMs,
  };
}
