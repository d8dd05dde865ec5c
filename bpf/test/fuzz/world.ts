import { type FlowKey, MEMBER, MEMBER_LOCAL, SERVICE_KEY, STATE } from "../layout.ts";
import { TCP, UDP } from "../packet.ts";
import { indexKey, NODE, now, type PoolOptions, type Programs, SECOND_NS } from "../programs.ts";

const WRITE_REQUEST_BYTES = 8 + 32 * 64;
const CLOSE_REQUEST_BYTES = 16 + 128 * 16;
const MEMBER_COUNT = 12;
const NODE_PORT = 30_080;

/** Connect addresses of every kind: each scheduler, each forwarding mode, closing, empty, on the node, without a route. */
const POOLS: readonly Omit<PoolOptions, "pool" | "at" | "protocol">[] = [
  { ip: "192.0.2.10", port: 80, scheduler: "rr", forwarding: "fullnat", sequence: [1, 2] },
  { ip: "192.0.2.11", port: 80, scheduler: "mh", forwarding: "nat", sequence: [3, 4] },
  {
    ip: "192.0.2.12",
    port: 443,
    scheduler: "wlc",
    forwarding: "fullnat",
    sequence: [5, 6],
    weights: [1, 3],
    affinitySeconds: 1,
  },
  { ip: "192.0.2.13", port: 80, scheduler: "lc", forwarding: "nat", sequence: [7] },
  { ip: "192.0.2.14", port: 80, scheduler: "rr", forwarding: "fullnat", sequence: [8], closing: true },
  { ip: "192.0.2.15", port: 80, scheduler: "rr", forwarding: "fullnat", sequence: [] },
  { ip: "0.0.0.0", port: NODE_PORT, scheduler: "sh", forwarding: "nat", sequence: [9, 10] },
  { ip: "192.0.2.16", port: 80, scheduler: "wrr", forwarding: "fullnat", sequence: [11, 12] },
];
/** Its member is on the node itself. */
const LOCAL_MEMBER = 7;
/** Nothing routes to it. */
const FAR_MEMBER = 11;
/** The node has no address towards it. */
const SOURCELESS_MEMBER = 12;

/** Where clients may send packets for a pool. */
export const TARGETS = POOLS.map(({ ip, port }) => ({
  ip: ip === "0.0.0.0" ? NODE.clientSide : (ip ?? ""),
  port: port ?? 0,
}));

/** Fills the tables. Few of everything, so that flows meet: in the ring, at source ports, in a small flow table. */
export function fillWorld(kernel: Programs): void {
  configure(kernel, 1);
  kernel.map("node_address").update(quad(NODE.clientSide), Buffer.from([1, 0, 0, 0]));
  for (let index = 1; index <= MEMBER_COUNT; index++) kernel.writeMember(index, memberOf(index));
  for (const protocol of [TCP, UDP]) {
    POOLS.forEach((pool, place) => {
      kernel.publish({ ...pool, protocol, pool: place + 1, at: place * 16 });
    });
  }
}

/** A new epoch makes every flow ask for its route again. */
export function configure(kernel: Programs, routeEpoch: number): void {
  kernel.configure({
    half_open_count: 48,
    source_port_first: 2000,
    source_port_last: 2015,
    route_epoch: routeEpoch,
  });
}

function memberOf(index: number) {
  return {
    pool: POOLS.findIndex(({ sequence }) => sequence.includes(index)) + 1,
    ...(index === LOCAL_MEMBER ? { address: NODE.clientSide, flags: MEMBER_LOCAL } : {}),
    ...(index === FAR_MEMBER ? { address: "203.0.113.5" } : {}),
    ...(index === SOURCELESS_MEMBER ? { source: "0.0.0.0" } : {}),
  };
}

/** The keys of `service` that {@link fillWorld} has published, as hexadecimal text. */
export const SERVICES: ReadonlySet<string> = new Set(
  TARGETS.flatMap(({ ip, port }) =>
    [TCP, UDP].map((protocol) => SERVICE_KEY.encode({ address: ip, port, protocol }).toString("hex")),
  ),
);

export function isLocalMember(index: number): boolean {
  return index === LOCAL_MEMBER;
}

/** Puts a member into a state as the agent does: its load is kept. */
export function changeMember(
  kernel: Programs,
  index: number,
  state: keyof typeof STATE,
  isDue: boolean,
): void {
  const request = Buffer.alloc(WRITE_REQUEST_BYTES);
  const deadline = now() + (isDue ? -1n : 1n) * SECOND_NS;
  const held = kernel.member(index);
  indexKey(1).copy(request, 0);
  indexKey(index).copy(request, 8);
  MEMBER.encode({ ...held, state: STATE[state], drain_deadline_ns: deadline }).copy(request, 16);
  kernel.syscall("write_members", request);
}

/** Closes a flow as the agent does. */
export function closeFlow(kernel: Programs, key: Buffer, mode: number): void {
  const request = Buffer.alloc(CLOSE_REQUEST_BYTES);
  indexKey(mode).copy(request, 0);
  indexKey(1).copy(request, 4);
  key.copy(request, 16);
  kernel.syscall("close_flows", request);
}

/** Lets both directions of a flow have been silent for so long. */
export function ageFlow(kernel: Programs, keys: readonly FlowKey[], seconds: number): void {
  const last = now() - BigInt(seconds) * SECOND_NS;
  for (const key of keys) if (kernel.flow(key)) kernel.patchFlow(key, { last_seen_ns: last });
}

function quad(address: string): Buffer {
  return Buffer.from(address.split(".").map(Number));
}
