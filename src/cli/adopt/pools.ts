import { formatHostPort } from "../../foundation/index.ts";
import { type JsonSchema, MEMBER_LIMIT, poolDefinition } from "../../model/index.ts";
import type { AdoptedMember, VirtualServer, Warn } from "./virtual-server.ts";

/** Name of the address pool that holds the addresses of all adopted services. */
const ADDRESS_POOL = "adopted";
const WEIGHT_LIMIT = 256;
const AFFINITY_LIMIT_SECONDS = 86_400;

/** What a pool gets whose scheduler is none of the kernel's; LVS's own default. */
const DEFAULT_SCHEDULER = "wlc";

/**
 * Makes pools of virtual services, and first an address pool of their addresses. Pure.
 *
 * @param namespace Of the pools; absent = whoever applies them chooses.
 * @returns objects to apply; none when there is no service.
 */
export function makePools(
  servers: readonly VirtualServer[],
  namespace: string | undefined,
  warn: Warn,
): readonly object[] {
  const found = new Map<string, VirtualServer>();
  for (const server of servers) {
    const name = nameOf(server);
    const earlier = found.get(name);
    if (earlier) warn(server.where, `left out: ${earlier.where} describes the same address already`);
    else found.set(name, server);
  }
  if (found.size === 0) return [];
  const pools = [...found].map(([name, server]) => makePool(name, server, namespace, warn));
  return [makeAddressPool([...found.values()]), ...pools];
}

function nameOf({ protocol, ip, port }: VirtualServer): string {
  return `${protocol.toLowerCase()}-${ip.replaceAll(/[.:]/g, "-")}-${port}`;
}

function makeAddressPool(servers: readonly VirtualServer[]): object {
  const unique = (values: readonly (string | number)[]) => [...new Set(values)].map(String);
  return {
    apiVersion: "parasaus.io/v1",
    kind: "AddressPool",
    metadata: { name: ADDRESS_POOL },
    spec: {
      addresses: unique(servers.map(({ ip }) => ip)),
      ports: unique(servers.map(({ port }) => port)),
      autoAssign: false,
    },
  };
}

function makePool(name: string, server: VirtualServer, namespace: string | undefined, warn: Warn): object {
  const { ip, port, protocol, healthCheck } = server;
  const forwarding = chooseForwarding(server, warn);
  return {
    apiVersion: "parasaus.io/v1",
    kind: "Pool",
    metadata: { name, ...(namespace === undefined ? {} : { namespace }) },
    spec: {
      addressPool: ADDRESS_POOL,
      ip,
      port,
      protocol,
      scheduler: chooseScheduler(server, warn),
      ...(forwarding === undefined ? {} : { forwarding }),
      ...makeAffinity(server, warn),
      ...(server.isOnePacket ? { onePacketScheduling: true } : {}),
      healthCheck,
      members: makeMembers(server, warn),
    },
  };
}

function chooseScheduler({ scheduler, where }: VirtualServer, warn: Warn): string {
  if (allowed("scheduler").includes(scheduler)) return scheduler;
  warn(where, `scheduler ${scheduler} has no counterpart; ${DEFAULT_SCHEDULER} is used`);
  return DEFAULT_SCHEDULER;
}

/** The first member's; undefined = the pool's default. */
function chooseForwarding({ members, where }: VirtualServer, warn: Warn): string | undefined {
  const [first] = members;
  if (first === undefined) return undefined;
  for (const { forwarding, where: place } of members.filter((each) => each.forwarding !== first.forwarding))
    warn(place, `forwarding ${forwarding} differs from the first member's; a pool has one`);
  if (allowed("forwarding").includes(first.forwarding)) return first.forwarding;
  warn(where, `forwarding ${first.forwarding} has no counterpart; the pool gets the default`);
  return undefined;
}

function makeAffinity(server: VirtualServer, warn: Warn): object {
  const { affinitySeconds, affinityPrefixLength: prefixLength } = server;
  if (affinitySeconds === undefined) return {};
  const timeoutSeconds = limitAffinity(server, warn);
  const prefix = prefixLength === undefined ? {} : { prefixLength };
  return { sessionAffinity: { type: "ClientIP", timeoutSeconds, ...prefix } };
}

function limitAffinity({ affinitySeconds = 0, where }: VirtualServer, warn: Warn): number {
  const limited = Math.min(Math.max(affinitySeconds, 1), AFFINITY_LIMIT_SECONDS);
  if (limited !== affinitySeconds)
    warn(where, `persistence of ${affinitySeconds} s is out of range; ${limited} s is used`);
  return limited;
}

/** Larger weights are scaled down together, and none to 0, which would mean something else. */
function makeMembers({ members, where, port }: VirtualServer, warn: Warn): readonly object[] {
  // LVS passes over the port of a real server that it does not masquerade.
  const translatesPort = members[0]?.forwarding === "nat";
  const known = new Map<string, AdoptedMember>();
  for (const member of members) {
    const address = formatHostPort(member.ip, member.port);
    const earlier = known.get(address);
    if (earlier) warn(member.where, `left out: ${earlier.where} describes ${address} already`);
    else known.set(address, member);
  }
  if (known.size > MEMBER_LIMIT)
    warn(where, `${known.size} members are more than a pool may have, which is ${MEMBER_LIMIT}`);
  const largest = Math.max(...members.map(({ weight }) => weight), WEIGHT_LIMIT);
  if (largest > WEIGHT_LIMIT)
    warn(where, `weights up to ${largest} are scaled down to ${WEIGHT_LIMIT}, the largest that there is`);
  const scale = (weight: number) => Math.round((weight * WEIGHT_LIMIT) / largest);
  return [...known.values()].map(({ ip, port: asked, weight }) => ({
    ip,
    port: translatesPort ? asked : port,
    weight: weight === 0 ? 0 : Math.max(1, scale(weight)),
  }));
}

/** The values that a field of a pool's spec may have. */
function allowed(field: string): readonly unknown[] {
  const inside = (schema: JsonSchema, name: string) =>
    (schema["properties"] as Record<string, JsonSchema>)[name];
  const spec = inside(poolDefinition.schema, "spec");
  const values = spec && inside(spec, field)?.["enum"];
  return Array.isArray(values) ? values : [];
}
