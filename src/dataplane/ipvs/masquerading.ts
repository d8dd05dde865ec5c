import { type Masquerade, type MasqueradedFamily, openMasquerade, readSysctl } from "../../linux/index.ts";
import type { OperationFailure, PoolOperation, ProgrammedPool } from "../driver.ts";
import { ownTableFor } from "./own-table.ts";
import { isRange } from "./ranges.ts";
import type { RecordPlace } from "./record.ts";
import { CONNTRACK } from "./settings.ts";

/** Why the kernel cannot do it, by family; undefined when it can. */
export type LackingMasquerading = Readonly<Record<MasqueradedFamily, string | undefined>>;

/** Opens the node's tables of masqueraded services, one of each family. */
export function openMasquerades(place: RecordPlace): readonly Masquerade[] {
  return ([4, 6] as const).map((family) => openMasquerade(ownTableFor(place), family));
}

/** Why members cannot see the node's address on this kernel. */
export function whyNoMasquerading(masquerades: readonly Masquerade[]): LackingMasquerading {
  const lacksTracking = readSysctl(CONNTRACK) === undefined;
  const [four, six] = [4, 6].map((family) =>
    lacksTracking
      ? "this kernel's IPVS knows nothing of connection tracking"
      : masquerades.find((each) => each.family === family)?.whyNot(),
  );
  return { 4: four, 6: six };
}

/** Whether members of the pool shall see the node's address. */
export function isMasquerading(operation: PoolOperation): boolean {
  return operation.kind !== "remove" && operation.pool.forwarding === "fullnat";
}

/** A pool whose members cannot see the node's address, by name. */
export function refuseMasquerading(
  operation: PoolOperation,
  lacking: LackingMasquerading,
): OperationFailure[] {
  if (operation.kind === "remove" || !isMasquerading(operation)) return [];
  const { uid } = operation.pool;
  const impossible = impossibleFor(operation.pool);
  if (impossible !== undefined) {
    const message = `Cannot program pool "${uid}": the ipvs driver does not ${impossible} with fullnat; use nat`;
    return [{ uid, code: "KernelUnsupported", message }];
  }
  const why = lacking[hasIpv6(operation.pool) ? 6 : 4];
  if (why === undefined) return [];
  const remedy = "it takes the modules nft_chain_nat, nft_masq and nft_ct; or use nat";
  const message = `Cannot program pool "${uid}" with fullnat: ${why}; ${remedy}`;
  return [{ uid, code: "KernelUnsupported", message }];
}

function impossibleFor({ isOnePacket, addresses }: ProgrammedPool): string | undefined {
  // Connection tracking would hold the datagrams of one port together.
  if (isOnePacket) return "schedule datagrams one by one";
  return addresses.some(isRange) ? "forward ranges of ports" : undefined;
}

function hasIpv6({ addresses, members }: ProgrammedPool): boolean {
  return [...addresses, ...members].some(({ ip }) => ip.includes(":"));
}
