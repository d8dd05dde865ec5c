import { formatHostPort, type IpFamily } from "../../foundation/index.ts";
import { type AddressPool, type ConnectAddress, familyOfPool, type PoolSpec } from "../../model/index.ts";
import type { AddressLedger, Holder, Obstacle } from "./ledger.ts";
import {
  type AddressRanges,
  capacityOf,
  contains,
  containsIp,
  containsPort,
  EVERY_NODE,
  eachIp,
  eachPort,
  familyOfAddress,
  hasFamily,
} from "./ranges.ts";

/** An address pool as the allocator uses it. */
export interface AllocatableRanges {
  readonly name: string;
  readonly spec: AddressPool["spec"];
  readonly ranges: AddressRanges;
}

/** What a pool asks for. */
export interface AllocationRequest {
  readonly holder: Holder;
  readonly spec: Pick<PoolSpec, "addressPool" | "ip" | "port" | "protocol"> &
    Partial<Pick<PoolSpec, "members">>;
  readonly nowMs: number;
  /** Port at which the search for a free one begins. */
  readonly startPort: number;
}

/** CamelCase reason of a refusal, as it stands in the condition. */
export type RefusalReason =
  | "AddressPoolNotFound"
  | "OutOfRange"
  | "AddressInUse"
  | "AddressQuarantined"
  | "AddressPoolExhausted";

/** What the allocator decided; `granted` is not claimed yet. */
export type Allocation =
  | { readonly kind: "kept" | "granted"; readonly address: ConnectAddress }
  | { readonly kind: "refused"; readonly reason: RefusalReason; readonly message: string };

/** `10.0.0.1:80/TCP`. */
export function formatAddress({ ip, port, protocol }: ConnectAddress): string {
  return `${formatHostPort(ip, port)}/${protocol}`;
}

/** Decides which connect address a pool gets. Pure: the ledger is only read. */
export function allocate(
  request: AllocationRequest,
  ledger: AddressLedger,
  addressPools: ReadonlyMap<string, AllocatableRanges>,
): Allocation {
  const { holder, spec } = request;
  const source = addressPools.get(spec.addressPool);
  const held = ledger.addressOf(holder.uid);
  if (held && fits(held, spec, source)) {
    return { kind: "kept", address: { ...held, addressPool: spec.addressPool } };
  }
  if (!source) return refused("AddressPoolNotFound", `there is no address pool "${spec.addressPool}"`);
  const outside = outsideRanges(spec, source);
  if (outside) return outside;
  return isExact(spec, source) ? exact(request, ledger, source) : anyFree(request, ledger, source);
}

/** A pool keeps what it holds unless the operator asked for something else; a range that shrank takes nothing away. */
function fits(
  held: ConnectAddress,
  spec: AllocationRequest["spec"],
  source: AllocatableRanges | undefined,
): boolean {
  const isAsked =
    held.protocol === spec.protocol &&
    isOfFamily(held.ip, familyOf(spec)) &&
    (spec.ip === undefined || spec.ip === held.ip) &&
    (spec.port === undefined || spec.port === held.port);
  if (!isAsked) return false;
  return (
    held.addressPool === spec.addressPool ||
    (source !== undefined && contains(source.ranges, held.ip, held.port))
  );
}

/** Undefined: either would do. */
function familyOf({ ip, members = [] }: AllocationRequest["spec"]): IpFamily | undefined {
  return familyOfPool({ ...(ip === undefined ? {} : { ip }), members });
}

function isOfFamily(ip: string, family: IpFamily | undefined): boolean {
  return family === undefined || familyOfAddress(ip) === family;
}

function outsideRanges(spec: AllocationRequest["spec"], source: AllocatableRanges): Allocation | undefined {
  const { addresses, ports } = source.spec;
  const family = familyOf(spec);
  if (family !== undefined && !hasFamily(source.ranges, family)) {
    return refused(
      "OutOfRange",
      `address pool "${source.name}" has no IPv${family} addresses (${addresses.join(", ")})`,
    );
  }
  if (spec.ip !== undefined && !containsIp(source.ranges, spec.ip)) {
    return refused(
      "OutOfRange",
      `address ${spec.ip} is outside address pool "${source.name}" (${addresses.join(", ")})`,
    );
  }
  if (spec.port !== undefined && !containsPort(source.ranges, spec.port)) {
    return refused(
      "OutOfRange",
      `port ${spec.port} is outside address pool "${source.name}" (${ports.join(", ")})`,
    );
  }
  return undefined;
}

/** Whether the request leaves no choice. */
function isExact(spec: AllocationRequest["spec"], { ranges }: AllocatableRanges): boolean {
  return spec.port !== undefined && (spec.ip !== undefined || ranges.ipCount === 1);
}

function exact(request: AllocationRequest, ledger: AddressLedger, source: AllocatableRanges): Allocation {
  const { spec, holder, nowMs } = request;
  const [ip = EVERY_NODE] = spec.ip === undefined ? eachIp(source.ranges, familyOf(spec)) : [spec.ip];
  const address = { ip, port: spec.port ?? 0, protocol: spec.protocol, addressPool: source.name };
  const obstacle = ledger.obstacleTo(address, holder, nowMs);
  return obstacle ? blocked(address, obstacle) : { kind: "granted", address };
}

function blocked(address: ConnectAddress, obstacle: Obstacle): Allocation {
  if (obstacle.kind === "held") {
    const { holder, address: theirs } = obstacle;
    const overlap = theirs.ip === address.ip ? "" : ` as ${formatAddress(theirs)}`;
    return refused("AddressInUse", `${formatAddress(address)} is held by pool ${holder.key}${overlap}`);
  }
  const until = new Date(obstacle.quarantine.untilMs).toISOString();
  return refused(
    "AddressQuarantined",
    `${formatAddress(address)} is kept back until ${until}: pool ${obstacle.quarantine.key} had it`,
  );
}

function anyFree(request: AllocationRequest, ledger: AddressLedger, source: AllocatableRanges): Allocation {
  const { spec } = request;
  const before = ledger.lastAddressOf(request.holder.key);
  if (before && fits(before, spec, source) && !ledger.obstacleTo(before, request.holder, request.nowMs)) {
    return { kind: "granted", address: { ...before, addressPool: source.name } };
  }
  const found =
    spec.port === undefined ? freePort(request, ledger, source) : freeIp(request, spec.port, ledger, source);
  if (!found) return refused("AddressPoolExhausted", exhaustion(request.spec, ledger, source));
  return { kind: "granted", address: { ...found, protocol: spec.protocol, addressPool: source.name } };
}

/** The first port that nobody uses for any protocol; sharing one between two takes an explicit request. */
function freePort(
  { spec, startPort }: AllocationRequest,
  ledger: AddressLedger,
  { ranges }: AllocatableRanges,
): { ip: string; port: number } | undefined {
  for (const ip of spec.ip === undefined ? eachIp(ranges, familyOf(spec)) : [spec.ip]) {
    for (const port of eachPort(ranges, startPort)) {
      if (ledger.isUntouched(ip, port)) return { ip, port };
    }
  }
  return undefined;
}

/** An address of its own if there is one left, else the first where this port is free. */
function freeIp(
  { spec, holder, nowMs }: AllocationRequest,
  port: number,
  ledger: AddressLedger,
  { ranges }: AllocatableRanges,
): { ip: string; port: number } | undefined {
  let second: string | undefined;
  for (const ip of eachIp(ranges, familyOf(spec))) {
    if (!ledger.isIpUsed(ip)) return { ip, port };
    if (second === undefined && !ledger.obstacleTo({ ip, port, protocol: spec.protocol }, holder, nowMs))
      second = ip;
  }
  return second === undefined ? undefined : { ip: second, port };
}

function exhaustion(
  spec: AllocationRequest["spec"],
  ledger: AddressLedger,
  { name, ranges }: AllocatableRanges,
): string {
  const { held, quarantined } = ledger.countWithin((ip, port) => contains(ranges, ip, port));
  const capacity = capacityOf(ranges);
  const wanted =
    spec.port === undefined
      ? ""
      : `, and port ${spec.port} is free on none of its ${ranges.ipCount} addresses`;
  return `address pool "${name}" is exhausted: ${held} of ${capacity} connect addresses are in use and ${quarantined} are kept back${wanted}`;
}

function refused(reason: RefusalReason, message: string): Allocation {
  return { kind: "refused", reason, message };
}
