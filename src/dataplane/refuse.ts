import { familyOfIp } from "../foundation/index.ts";
import type { Driver, OperationFailure, PoolOperation, ProgrammedPool } from "./driver.ts";

/** The operations that a driver can carry out, and a refusal for each pool that asks for more. */
export interface Sifted {
  readonly accepted: readonly PoolOperation[];
  readonly refusals: readonly OperationFailure[];
}

/** Refuses by name, with what to choose instead, what the driver does not have; such a pool stays as the kernel has it. */
export function siftOperations(
  driver: Pick<Driver, "name" | "capabilities">,
  operations: readonly PoolOperation[],
): Sifted {
  const refusals = new Map<string, OperationFailure>();
  for (const operation of operations) {
    const lack = operation.kind === "install" ? lackFor(operation.pool, driver) : undefined;
    if (operation.kind === "remove" || lack === undefined) continue;
    const { uid } = operation.pool;
    const message = `Cannot program pool "${uid}": the ${driver.name} driver ${lack}`;
    refusals.set(uid, { uid, code: "KernelUnsupported", message });
  }
  if (refusals.size === 0) return { accepted: operations, refusals: [] };
  const accepted = operations.filter((each) => each.kind === "remove" || !refusals.has(each.pool.uid));
  return { accepted, refusals: [...refusals.values()] };
}

const SCTP_DRIVER = "run the agent with --driver ipvs";
const OTHER_DRIVER = `or ${SCTP_DRIVER}`;

/** What a pool asks for in vain; undefined when nothing. */
function lackFor(pool: ProgrammedPool, { capabilities }: Pick<Driver, "capabilities">): string | undefined {
  const { forwarding, schedulers, protocols, families, affinityByPrefix, onePacket, portRanges } =
    capabilities;
  const protocol = pool.addresses.find((address) => !protocols.includes(address.protocol))?.protocol;
  if (!forwarding.includes(pool.forwarding))
    return `does not forward with ${pool.forwarding}; it has ${forwarding.join(", ")}`;
  if (!schedulers.includes(pool.scheduler))
    return `has no scheduler ${pool.scheduler}; it has ${schedulers.join(", ")}`;
  if (protocol !== undefined)
    return `does not forward ${protocol}; it has ${protocols.join(", ")}${protocol === "SCTP" ? `; ${SCTP_DRIVER}` : ""}`;
  const family = [...pool.addresses, ...pool.members]
    .map(({ ip }) => familyOfIp(ip))
    .find((each) => each !== undefined && !families.includes(each));
  if (family !== undefined)
    return `does not forward IPv${family}; choose IPv${families.join(" or IPv")} addresses, ${OTHER_DRIVER}`;
  if (pool.affinityPrefixLength !== undefined && !affinityByPrefix)
    return `keeps session affinity for single addresses; leave spec.sessionAffinity.prefixLength out, ${OTHER_DRIVER}`;
  if (pool.isOnePacket && !onePacket)
    return `keeps a flow of datagrams on one member; leave spec.onePacketScheduling out, ${OTHER_DRIVER}`;
  if (!portRanges && pool.addresses.some(({ lastPort }) => lastPort !== undefined))
    return `forwards single ports; leave spec.lastPort out, ${OTHER_DRIVER}`;
  return undefined;
}
