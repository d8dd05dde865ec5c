import { LAYOUT } from "./layout.ts";
import { words } from "./words.ts";

const { flow: FLOW, flow_key: KEY } = LAYOUT;

/** One entry of `flow`, with its key. Addresses are unsigned 32-bit numbers, times nanoseconds of CLOCK_MONOTONIC. */
export interface FlowRow {
  readonly source: number;
  readonly sourcePort: number;
  readonly destination: number;
  readonly destinationPort: number;
  readonly protocol: number;
  readonly newSource: number;
  readonly newSourcePort: number;
  readonly newDestination: number;
  readonly newDestinationPort: number;
  readonly member: number;
  readonly pool: number;
  readonly state: number;
  readonly flags: number;
  readonly role: number;
  readonly why: number;
  readonly createdNs: number;
  readonly lastSeenNs: number;
  readonly lastSequence: number;
  readonly lastAck: number;
}

export function decodeFlow(keys: Buffer, keyAt: number, values: Buffer, at: number): FlowRow {
  return {
    source: keys.readUInt32BE(keyAt + KEY.source),
    sourcePort: keys.readUInt16BE(keyAt + KEY.source_port),
    destination: keys.readUInt32BE(keyAt + KEY.destination),
    destinationPort: keys.readUInt16BE(keyAt + KEY.destination_port),
    protocol: keys[keyAt + KEY.protocol] ?? 0,
    newSource: values.readUInt32BE(at + FLOW.new_source),
    newSourcePort: values.readUInt16BE(at + FLOW.new_source_port),
    newDestination: values.readUInt32BE(at + FLOW.new_destination),
    newDestinationPort: values.readUInt16BE(at + FLOW.new_destination_port),
    member: words.readU32(values, at + FLOW.member),
    pool: words.readU32(values, at + FLOW.pool),
    state: words.readU32(values, at + FLOW.state),
    flags: words.readU32(values, at + FLOW.flags),
    role: values[at + FLOW.role] ?? 0,
    why: values[at + FLOW.why] ?? 0,
    createdNs: words.readU64(values, at + FLOW.created_ns),
    lastSeenNs: words.readU64(values, at + FLOW.last_seen_ns),
    lastSequence: words.readU32(values, at + FLOW.last_sequence),
    lastAck: words.readU32(values, at + FLOW.last_ack),
  };
}

/** Key of `flow` for a packet's tuple. */
export function encodeFlowKey(tuple: {
  readonly source: number;
  readonly sourcePort: number;
  readonly destination: number;
  readonly destinationPort: number;
  readonly protocol: number;
}): Buffer {
  const key = Buffer.alloc(KEY.size);
  key.writeUInt32BE(tuple.source, KEY.source);
  key.writeUInt32BE(tuple.destination, KEY.destination);
  key.writeUInt16BE(tuple.sourcePort, KEY.source_port);
  key.writeUInt16BE(tuple.destinationPort, KEY.destination_port);
  key[KEY.protocol] = tuple.protocol;
  return key;
}

/** Key of the entry of the other direction. */
export function oppositeKey(row: FlowRow): Buffer {
  return encodeFlowKey({
    source: row.newDestination,
    sourcePort: row.newDestinationPort,
    destination: row.newSource,
    destinationPort: row.newSourcePort,
    protocol: row.protocol,
  });
}
