import type { JsonSchema } from "../definition.ts";
import { conditionsSchema, objectSchema } from "../schema/metadata.ts";
import {
  ATOMIC,
  flag,
  integer,
  ip,
  list,
  oneOf,
  PROTOCOLS,
  port,
  structure,
  text,
  timestamp,
} from "../schema/vocabulary.ts";
import { healthCheckSchema } from "./health-check.ts";
import { DEFAULT_STATE, DEFAULT_WEIGHT } from "./member.ts";
import { FORWARDING_MODES, SCHEDULER_NAMES } from "./policy.ts";

/** Most members that one pool can have. */
export const MEMBER_LIMIT = 1024;
const DAY_SECONDS = 86_400;

const protocol = oneOf(PROTOCOLS, "Transport protocol; SCTP with the ipvs driver.", { default: "TCP" });

const member = structure(
  {
    ip: ip("IPv4 or IPv6 address of the real server."),
    port: port("Port of the real server."),
    weight: integer("Share of new flows relative to the other members; 0 takes none.", 0, 256, {
      default: DEFAULT_WEIGHT,
    }),
    state: oneOf(
      ["ready", "drain", "maint"],
      "What the operator wants: ready serves; drain takes no new flows and keeps the old ones until the deadline; maint is not probed and its flows are cut at once.",
      { default: DEFAULT_STATE },
    ),
    drainSeconds: integer(
      "How long flows may go on once state is drain; absent: as the pool's.",
      0,
      DAY_SECONDS,
    ),
  },
  "One real server.",
  { required: ["ip", "port"] },
);

const lastOperation = structure(
  {
    operator: text("Who."),
    time: timestamp("When."),
    verb: text("What was done."),
  },
  "The last operation, through the pool's Service and Endpoints too; joined when one pool is read, not stored.",
);

const memberStatus = structure(
  {
    ip: ip("Address of the member."),
    port: port("Port of the member."),
    verdict: oneOf(["unchecked", "up", "down"], "The health check's word on the member."),
    reason: text("Reason code and what was seen, such as L4CON connection refused."),
    since: timestamp("When the verdict last changed."),
    lastOperation,
    probes: structure(
      {
        successes: integer("Probes that passed since the control plane started.", 0, Number.MAX_SAFE_INTEGER),
        failures: integer("Probes that failed since the control plane started.", 0, Number.MAX_SAFE_INTEGER),
        last: text("What the last probe saw."),
        lastTime: timestamp("When the last probe came back."),
      },
      "What the probes saw; joined when one pool is read, not stored.",
    ),
  },
  "Health of one member.",
  { required: ["ip", "port", "verdict"] },
);

const memberKeys = { "x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["ip", "port"] };

const spec = structure(
  {
    addressPool: text("Address pool that the connect address is taken from.", { default: "node-ports" }),
    ip: ip(
      "Connect address to ask for, of the members' family; absent: any of the address pool. Not with node-ports. IPv6 with the ipvs driver.",
    ),
    port: port("Connect port to ask for; absent: any free one of the address pool."),
    lastPort: port(
      "Last of the connect ports, which begin with port: 1 and 65535 are the whole address. Absent: port alone. Members, all on port, get each packet at the port that the client asked for. With the ipvs driver, and an address of the pool's own.",
    ),
    protocol,
    scheduler: oneOf(
      SCHEDULER_NAMES,
      "How a new flow picks a member: round robin, weighted round robin, least connections, weighted least connections, source hash, Maglev hash; with the driver ipvs also destination hash, shortest expected delay, never queue, fail-over, overflow, power of two choices, locality-based least connections without and with replication.",
      { default: "rr" },
    ),
    forwarding: oneOf(
      FORWARDING_MODES,
      "What happens to the packet: fullnat replaces both addresses; nat replaces the destination alone and needs the replies to come back through the node; dsr leaves the packet as it is and hands it to a member on the same wire, tunnel wraps it: members have the connect address themselves and answer past the node (driver ipvs, an address of the pool's own, members on the pool's port).",
      { default: "fullnat" },
    ),
    guePort: port(
      "With forwarding tunnel: packets come in GUE to this UDP port of the members. Absent: in IPIP, over IPv6 in IPv6. With the ipvs driver, Linux 5.3 and newer.",
    ),
    sessionAffinity: structure(
      {
        type: oneOf(["None", "ClientIP"], "ClientIP keeps a client on its member.", { default: "None" }),
        timeoutSeconds: integer("How long after its last flow a client is remembered.", 1, DAY_SECONDS, {
          default: 10_800,
        }),
        prefixLength: integer(
          "Clients whose addresses agree in so many leading bits stay together: 24 takes 10.0.0.0 to 10.0.0.255 for one client (netmask 255.255.255.0). Absent: every address by itself. With the ipvs driver.",
          1,
          128,
        ),
      },
      "Whether a client comes back to the member that it had.",
      { default: {} },
    ),
    onePacketScheduling: flag(
      "UDP: each datagram picks a member by itself, and no flow is kept. For datagrams that nobody answers: an answer keeps the member's address. Absent: datagrams of one flow go to one member. With the ipvs driver.",
    ),
    drainSeconds: integer(
      "How long flows may go on when their member, the connect address or the pool goes.",
      0,
      DAY_SECONDS,
      { default: 30 },
    ),
    onMemberDown: oneOf(["keep", "cut"], "What happens to the flows of a member that goes down.", {
      default: "keep",
    }),
    failOpen: structure(
      {
        threshold: integer(
          "Health is ignored when at most this percentage of the members is up; 0: only when none is.",
          0,
          100,
          { default: 0 },
        ),
      },
      "When to send traffic to members that are down rather than to too few.",
      { default: {} },
    ),
    healthCheck: healthCheckSchema,
    members: list(member, `Real servers of the pool, at most ${MEMBER_LIMIT}.`, {
      ...memberKeys,
      maxItems: MEMBER_LIMIT,
      default: [],
    }),
  },
  "What the operator wants.",
  { default: {} },
);

const connectAddress = structure(
  {
    ip: text("IP address, or * for every address of every node."),
    port: port("Port."),
    lastPort: port("Last port of a range that begins with port; absent: port alone."),
    protocol: oneOf(PROTOCOLS, "Transport protocol."),
    addressPool: text("Address pool that it was taken from."),
  },
  "Where clients connect to.",
  { required: ["ip", "port", "protocol"] },
);

const status = structure(
  {
    connectAddresses: list(connectAddress, "Where clients connect to; written by the allocator.", ATOMIC),
    members: list(memberStatus, "Health of each member; written by the health checks.", memberKeys),
    lastOperation,
    conditions: conditionsSchema,
  },
  "What the controllers found out; read-only for operators.",
);

/** Schema of a Pool. */
export const poolSchema: JsonSchema = objectSchema(
  "parasaus.io/v1",
  "Pool",
  "A layer-4 service: a connect address, the members behind it, and the policy between them.",
  { spec, status },
);
