import type { IpFamily } from "../../foundation/index.ts";
import {
  type AddressPool,
  type ConnectAddress,
  familyOfPool,
  formatConnectAddress,
  lastPortOf,
  type PoolSpec,
} from "../../model/index.ts";
import type { AddressLedger, Holder, Obstacle } from "./ledger.ts";
import {
  type AddressRanges,
  capacityOf,
  contains,
  containsIp,
  containsPorts,
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
  readonly spec: Pick<PoolSpec, "addressPool" | "ip" | "port" | "lastPort" | "protocol"> &
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
export function formatAddress(address: ConnectAddress): string {
  return `${formatConnectAddress(address)}/${address.protocol}`;
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
    (spec.port === undefined || spec.port === held.port) &&
    spec.lastPort === held.lastPort;
  if (!isAsked) return false;
  return (
    held.addressPool === spec.addressPool ||
    (source !== undefined && containsIp(source.ranges, held.ip) && containsPorts(source.ranges, held))
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
  const { port, lastPort } = spec;
  const wanted = port !== undefined && portsOf(port, lastPort);
  if (wanted && !containsPorts(source.ranges, wanted)) {
    return refused(
      "OutOfRange",
      `port ${formatPorts(wanted)} is outside address pool "${source.name}" (${ports.join(", ")})`,
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
  const { protocol, port = 0, lastPort } = spec;
  const address = { ip, ...portsOf(port, lastPort), protocol, addressPool: source.name };
  const obstacle = ledger.obstacleTo(address, holder, nowMs);
  return obstacle ? blocked(address, obstacle) : { kind: "granted", address };
}

function blocked(address: ConnectAddress, obstacle: Obstacle): Allocation {
  if (obstacle.kind === "held") {
    const { holder, address: theirs } = obstacle;
    const [wanted, known] = [address, theirs].map(formatAddress);
    const overlap = known === wanted ? "" : ` as ${known}`;
    return refused("AddressInUse", `${wanted} is held by pool ${holder.key}${overlap}`);
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
  const { port, lastPort } = spec;
  const found =
    port === undefined
      ? freePort(request, ledger, source)
      : freeIp(request, portsOf(port, lastPort), ledger, source);
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
  ports: Ports,
  ledger: AddressLedger,
  { ranges }: AllocatableRanges,
): Pick<ConnectAddress, "ip" | keyof Ports> | undefined {
  let second: string | undefined;
  for (const ip of eachIp(ranges, familyOf(spec))) {
    if (!ledger.isIpUsed(ip)) return { ip, ...ports };
    if (second === undefined && !ledger.obstacleTo({ ip, ...ports, protocol: spec.protocol }, holder, nowMs))
      second = ip;
  }
  return second === undefined ? undefined : { ip: second, ...ports };
}

type Ports = Pick<ConnectAddress, "port" | "lastPort">;

function portsOf(port: number, lastPort: number | undefined): Ports {
  return lastPort === undefined ? { port } : { port, lastPort };
}

function formatPorts(ports: Ports): string {
  return ports.lastPort === undefined ? `${ports.port}` : `${ports.port}-${lastPortOf(ports)}`;
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
      : `, and port ${formatPorts(portsOf(spec.port, spec.lastPort))} is free on none of its ${ranges.ipCount} addresses`;
  return `address pool "${name}" is exhausted: ${held} of ${capacity} connect addresses are in use and ${quarantined} are kept back${wanted}`;
}

function refused(reason: RefusalReason, message: string): Allocation {
  return { kind: "refused", reason, message };
}
