/** The structures of `bpf/include/layout.h`, written down a second time: a slip in either shows. */
import { type RecordOf, record } from "./record.ts";

export const SERVICE_KEY = record({ address: "ip", port: "be16", protocol: "u8", pad: "pad:1" });
export const SERVICE = record({
  pool_uid: "bytes:16",
  pool: "u32",
  sequence_at: "u32",
  sequence_count: "u32",
  eligible_at: "u32",
  eligible_count: "u32",
  affinity_seconds: "u32",
  closing_deadline_ns: "u64",
  scheduler: "u8",
  forwarding: "u8",
  pad: "pad:6",
});
export const SLOT = record({ member: "u32", weight: "u32" });
export const POOL = record({ uid: "bytes:16", ticket: "u64", reserved: "pad:40" });
export const MEMBER = record({
  pool_uid: "bytes:16",
  address: "ip",
  port: "be16",
  state: "u8",
  flags: "u8",
  pool: "u32",
  weight: "u32",
  source: "ip",
  reserved: "u32",
  drain_deadline_ns: "u64",
  load: "s64",
});
export const TRAFFIC = record({
  connections: "u64",
  packets_in: "u64",
  bytes_in: "u64",
  packets_out: "u64",
  bytes_out: "u64",
});
export const FLOW_KEY = record({
  source: "ip",
  destination: "ip",
  source_port: "be16",
  destination_port: "be16",
  protocol: "u8",
  pad: "pad:3",
});
export const FLOW = record({
  new_source: "ip",
  new_destination: "ip",
  new_source_port: "be16",
  new_destination_port: "be16",
  member: "u32",
  pool: "u32",
  state: "u32",
  flags: "u32",
  role: "u8",
  why: "u8",
  scheduler: "u8",
  forwarding: "u8",
  created_ns: "u64",
  last_seen_ns: "u64",
  last_sequence: "u32",
  last_ack: "u32",
  last_timestamp: "u32",
  ifindex: "u32",
  route_epoch: "u32",
  next_mac: "bytes:6",
  own_mac: "bytes:6",
  mtu: "u32",
  reserved: "pad:12",
});
export const AFFINITY_KEY = record({ pool: "u32", client: "ip" });
export const AFFINITY = record({ member: "u32", pad: "pad:4", last_ns: "u64" });
export const LOCAL_FLOW = record({
  address: "ip",
  port: "be16",
  protocol: "u8",
  why: "u8",
  member: "u32",
  pool: "u32",
  created_ns: "u64",
});
const SOURCES = Object.fromEntries(
  Array.from({ length: 16 }, (_, index) => [`source_${index}`, "ip"] as const),
);
export const CONFIG = record({
  netns_cookie: "u64",
  established_ns: "u64",
  half_open_ns: "u64",
  closing_ns: "u64",
  closed_ns: "u64",
  datagram_ns: "u64",
  route_epoch: "u32",
  half_open_count: "u32",
  source_port_first: "u16",
  source_port_last: "u16",
  source_count: "u16",
  local_clients: "u8",
  other_driver: "u8",
  ...(SOURCES as { readonly source_0: "ip"; readonly source_1: "ip" }),
});

export type FlowKey = Partial<
  RecordOf<{ source: "ip"; destination: "ip"; source_port: "be16"; destination_port: "be16"; protocol: "u8" }>
>;

export const SCHEDULER = { rr: 1, wrr: 2, lc: 3, wlc: 4, sh: 5, mh: 6 } as const;
export const FORWARDING = { fullnat: 1, nat: 2 } as const;
export const STATE = { free: 0, active: 1, paused: 2, draining: 3, cut: 4 } as const;
export const FLOW_STATE = { halfOpen: 1, established: 2, closing: 3, closed: 4 } as const;
export const FLAG = { finClient: 1, finMember: 2, memberFirst: 4, reset: 8, cut: 16 } as const;
export const WHY = { scheduled: 1, affinity: 2, adopted: 3, rescheduled: 4 } as const;
export const OTHER_DRIVER = { none: 0, drains: 1, serves: 2 } as const;
export const MEMBER_LOCAL = 1;
export const DROPS = [
  "none",
  "noMember",
  "closingAddress",
  "noFlow",
  "cut",
  "expired",
  "flowTableFull",
  "sourcePortsExhausted",
  "halfOpenReclaimed",
  "fragment",
  "malformed",
  "ttl",
  "noRoute",
  "affinityFull",
  "checksum",
  "tooBig",
] as const;
