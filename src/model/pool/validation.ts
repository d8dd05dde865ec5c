import { type FieldError, familyOfIp, formatHostPort } from "../../foundation/index.ts";
import type { KubeObject } from "../object.ts";
import { unicastErrors } from "../validation/addresses.ts";
import { duplicate, forbidden, invalid, missing } from "../validation/field-errors.ts";
import { nameComplaint } from "../validation/names.ts";
import { familyOfPool } from "./family.ts";
import { healthCheckErrors } from "./health-check-validation.ts";
import { completeMember } from "./member.ts";
import type { ForwardingMode, SchedulerName } from "./policy.ts";
import type { Pool, PoolMember, PoolSpec } from "./pool.ts";

/** The built-in address pool: every address of every node. */
export const NODE_PORTS = "node-ports";

/** What the schema of a Pool cannot say. */
export function poolErrors(object: KubeObject, previous?: KubeObject): FieldError[] {
  const { spec } = object as Pool;
  const own = ownAddresses(spec, previous as Pool | undefined);
  return [
    ...addressErrors(spec),
    ...rangeErrors(spec),
    ...onePacketErrors(spec),
    ...familyErrors(spec),
    ...forwardingErrors(spec),
    ...healthCheckErrors("spec.healthCheck", spec.healthCheck),
    ...spec.members.flatMap((member, index) => memberErrors(`spec.members[${index}]`, member, own)),
    ...duplicateErrors(spec.members),
  ];
}

/**
 * Where the pool listens, as far as a member could be blamed for being there. Members that were there before the
 * allocator handed the address out are not: its write of the status must not fail for them.
 */
function ownAddresses(spec: PoolSpec, previous?: Pool): ReadonlySet<string> {
  const asked = spec.ip && spec.port ? [addressKey({ ip: spec.ip, port: spec.port })] : [];
  const known = new Set(previous?.spec.members.map(addressKey));
  const given = (previous?.status?.connectAddresses ?? []).map(addressKey);
  return new Set([...asked, ...given.filter((address) => !known.has(address))]);
}

function addressKey({ ip, port }: { readonly ip: string; readonly port: number }): string {
  return formatHostPort(ip, port);
}

function addressErrors({ addressPool, ip }: PoolSpec): FieldError[] {
  const complaint = nameComplaint(addressPool, "subdomain");
  return [
    ...(complaint ? [invalid("spec.addressPool", addressPool, complaint)] : []),
    ...(ip === undefined ? [] : unicastErrors("spec.ip", ip)),
    ...(ip !== undefined && addressPool === NODE_PORTS ? [ipWithNodePorts(ip)] : []),
  ];
}

function ipWithNodePorts(ip: string): FieldError {
  return forbidden(
    "spec.ip",
    `address pool "${NODE_PORTS}" listens on every address of every node; name an address pool that has ${ip} in spec.addressPool`,
  );
}

/** Members get the port that the client asked for: of them all, the first stands for it. */
function rangeErrors({ addressPool, port, lastPort, members }: PoolSpec): FieldError[] {
  if (lastPort === undefined) return [];
  if (port === undefined) return [missing("spec.port", "is where the ports up to spec.lastPort begin")];
  if (addressPool === NODE_PORTS) {
    const instead = `name an address pool other than "${NODE_PORTS}" in spec.addressPool`;
    return [forbidden("spec.lastPort", `only with an address of the pool's own; ${instead}`)];
  }
  if (lastPort <= port)
    return [
      invalid("spec.lastPort", lastPort, `must be above spec.port, ${port}; leave it out for one port`),
    ];
  return members.flatMap((member, index) => {
    const words = `must be ${port}, the first port of the pool: with spec.lastPort members get the port that the client asked for`;
    return member.port === port ? [] : [invalid(`spec.members[${index}].port`, member.port, words)];
  });
}

function onePacketErrors({ protocol, onePacketScheduling }: PoolSpec): FieldError[] {
  if (!onePacketScheduling || protocol === "UDP") return [];
  return [
    forbidden("spec.onePacketScheduling", `only with protocol UDP; packets of ${protocol} belong together`),
  ];
}

/** One pool, one family: the kernel translates none into the other. */
function familyErrors(spec: PoolSpec): FieldError[] {
  const { ip, members, addressPool, sessionAffinity } = spec;
  const onNodes = addressPool === NODE_PORTS && ip === undefined;
  const family = onNodes ? 4 : (familyOfPool(spec) ?? 4);
  const { prefixLength = 0 } = sessionAffinity;
  const why = onNodes
    ? `address pool "${NODE_PORTS}" has IPv4 addresses only; name an address pool with IPv6 addresses in spec.addressPool`
    : `must be an IPv${family} address like ${ip === undefined ? "the first member" : "spec.ip"}: a pool has one family`;
  return [
    ...members.flatMap((member, index) => {
      const other = familyOfIp(member.ip);
      const fits = other === undefined || other === family;
      return fits ? [] : [invalid(`spec.members[${index}].ip`, member.ip, why)];
    }),
    ...(family === 4 && prefixLength > 32
      ? [invalid("spec.sessionAffinity.prefixLength", prefixLength, "must be at most 32 with IPv4")]
      : []),
  ];
}

/** With these the member gets the packet as the client sent it, and answers from the address that it was sent to. */
const KEEPS_DESTINATION: ReadonlySet<ForwardingMode> = new Set(["dsr", "tunnel"]);

function forwardingErrors(spec: PoolSpec): FieldError[] {
  const { forwarding, addressPool, port, members } = spec;
  if (spec.guePort !== undefined && forwarding !== "tunnel")
    return [forbidden("spec.guePort", "only with forwarding tunnel")];
  if (!KEEPS_DESTINATION.has(forwarding)) return [];
  if (addressPool === NODE_PORTS) {
    const nodes = "members answer from the connect address themselves, and cannot have those of the nodes";
    const instead = `name an address pool other than "${NODE_PORTS}" in spec.addressPool, or choose nat or fullnat`;
    return [
      forbidden(
        "spec.forwarding",
        `${forwarding} leaves the packet's address as it is: ${nodes}; ${instead}`,
      ),
    ];
  }
  if (port === undefined)
    return [missing("spec.port", `${forwarding} does not translate ports; name the members' port`)];
  return members.flatMap((member, index) => {
    const words = `must be the pool's port ${port}: ${forwarding} does not translate ports`;
    return member.port === port ? [] : [invalid(`spec.members[${index}].port`, member.port, words)];
  });
}

function memberErrors(field: string, member: PoolMember, own: ReadonlySet<string>): FieldError[] {
  const errors = unicastErrors(`${field}.ip`, member.ip);
  if (errors.length > 0 || !own.has(addressKey(member))) return errors;
  const loop = `must not be the pool's own connect address ${addressKey(member)}: its traffic would go round in circles`;
  return [invalid(`${field}.ip`, member.ip, loop)];
}

function duplicateErrors(members: readonly PoolMember[]): FieldError[] {
  const seen = new Set<string>();
  return members.flatMap((member, index) => {
    // An address has one spelling: leading zeros are refused.
    const key = addressKey(member);
    if (seen.has(key)) return [duplicate(`spec.members[${index}]`, key)];
    seen.add(key);
    return [];
  });
}

const IGNORES_WEIGHTS: Readonly<Partial<Record<SchedulerName, SchedulerName>>> = {
  rr: "wrr",
  lc: "wlc",
  dh: "lblc",
};

/** What is most likely a mistake, or a secret that is none. */
export function poolWarnings(object: KubeObject): string[] {
  const { spec } = object as Pool;
  const password = spec.healthCheck.mysql?.password ? [PASSWORD_WARNING] : [];
  return [...weightWarnings(spec), ...password];
}

const PASSWORD_WARNING =
  "spec.healthCheck.mysql.password: stored and shown as plain text; give the user no privileges";

function weightWarnings({ scheduler, members }: PoolSpec): string[] {
  const weights = new Set(members.map((each) => completeMember(each).weight).filter((weight) => weight > 0));
  const better = IGNORES_WEIGHTS[scheduler];
  if (weights.size < 2 || better === undefined) return [];
  return [`spec.scheduler: ${scheduler} does not look at the members' weights; ${better} does`];
}
