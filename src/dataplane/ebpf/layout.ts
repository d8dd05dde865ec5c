import type { ForwardingMode, SchedulerName } from "../../model/index.ts";

/**
 * Sizes and offsets of the structures in `bpf/include/layout.h`, in bytes. A test compares them with the BTF of the
 * object file.
 */
export const LAYOUT = {
  service_key: { size: 8, address: 0, port: 4, protocol: 6 },
  service: {
    size: 56,
    pool_uid: 0,
    pool: 16,
    sequence_at: 20,
    sequence_count: 24,
    eligible_at: 28,
    eligible_count: 32,
    affinity_seconds: 36,
    closing_deadline_ns: 40,
    scheduler: 48,
    forwarding: 49,
  },
  slot: { size: 8, member: 0, weight: 4 },
  pool: { size: 64, uid: 0, ticket: 16, reserved: 24 },
  member: {
    size: 56,
    pool_uid: 0,
    address: 16,
    port: 20,
    state: 22,
    flags: 23,
    pool: 24,
    weight: 28,
    source: 32,
    drain_deadline_ns: 40,
    load: 48,
  },
  member_traffic: { size: 40, connections: 0, packets_in: 8, bytes_in: 16, packets_out: 24, bytes_out: 32 },
  flow_key: { size: 16, source: 0, destination: 4, source_port: 8, destination_port: 10, protocol: 12 },
  flow: {
    size: 96,
    new_source: 0,
    new_destination: 4,
    new_source_port: 8,
    new_destination_port: 10,
    member: 12,
    pool: 16,
    state: 20,
    flags: 24,
    role: 28,
    why: 29,
    created_ns: 32,
    last_seen_ns: 40,
    last_sequence: 48,
    last_ack: 52,
  },
  affinity_key: { size: 8, pool: 0, client: 4 },
  affinity: { size: 16, member: 0, last_ns: 8 },
  local_flow: { size: 24, address: 0, port: 4, protocol: 6, why: 7, member: 8, pool: 12, created_ns: 16 },
  local_datagram_key: { size: 16, cookie: 0, address: 8, port: 12, role: 14 },
  local_datagram: { size: 24, address: 0, port: 4, member: 8, pool: 12, last_ns: 16 },
  config: {
    size: 128,
    netns_cookie: 0,
    established_ns: 8,
    half_open_ns: 16,
    closing_ns: 24,
    closed_ns: 32,
    datagram_ns: 40,
    route_epoch: 48,
    half_open_count: 52,
    source_port_first: 56,
    source_port_last: 58,
    source_count: 60,
    local_clients: 62,
    other_driver: 63,
    sources: 64,
    network_digest: 120,
  },
  close_request: { size: 2064, mode: 0, count: 4, closed: 8, keys: 16 },
  adjust_load_request: { size: 8, member: 0, delta: 4 },
  member_write: { size: 64, index: 0, value: 8 },
  write_members_request: { size: 2056, count: 0, written: 4, members: 8 },
} as const;

/** Keys of one `close_flows` call. */
export const CLOSE_BATCH = 128;
/** Members of one `write_members` call. */
export const WRITE_BATCH = 32;
/** `--source-addresses` that fit. */
export const MAX_SOURCES = 14;

export const PROTOCOL_NUMBER = { TCP: 6, UDP: 17, SCTP: 132 } as const;
/** Those that the programs have; the driver refuses the others. */
export const SCHEDULER_NUMBER: NumberOf<SchedulerName> = { rr: 1, wrr: 2, lc: 3, wlc: 4, sh: 5, mh: 6 };
export const FORWARDING_NUMBER: NumberOf<ForwardingMode> = { fullnat: 1, nat: 2 };
type NumberOf<Name extends string> = Readonly<Partial<Record<Name, number>>>;
/** `enum member_state`. A freed member that flows may still point at keeps its uid. */
export const MEMBER_STATE = { free: 0, active: 1, paused: 2, draining: 3, cut: 4 } as const;
export const MEMBER_LOCAL = 1;
export const FLOW_FORWARD = 1;
export const FLOW_STATE = { halfOpen: 1, established: 2, closing: 3, closed: 4 } as const;
export const CLOSE_MODE = { expired: 1, forced: 2 } as const;
export const OTHER_DRIVER = { none: 0, drains: 1, serves: 2 } as const;
export const LOCAL_CLIENTS = { off: 0, host: 1, all: 2 } as const;

/** `enum drop_reason`, as metrics name them. */
export const DROP_NAMES = [
  "none",
  "no_member",
  "closing_address",
  "no_flow",
  "cut",
  "expired",
  "flow_table_full",
  "source_ports_exhausted",
  "half_open_reclaimed",
  "fragment",
  "malformed",
  "ttl",
  "no_route",
  "affinity_full",
  "checksum",
  "too_big",
] as const;
