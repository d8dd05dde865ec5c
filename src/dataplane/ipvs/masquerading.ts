import { type Masquerade, readSysctl } from "../../linux/index.ts";
import type { OperationFailure, PoolOperation, ProgrammedPool } from "../driver.ts";
import { isRange } from "./ranges.ts";
import { CONNTRACK } from "./settings.ts";

/** Why members cannot see the node's address on this kernel; undefined when they can. */
export function whyNoMasquerading(masquerade: Masquerade): string | undefined {
  if (readSysctl(CONNTRACK) === undefined) return "this kernel's IPVS knows nothing of connection tracking";
  return masquerade.whyNot();
}

/** Whether members of the pool shall see the node's address. */
export function isMasquerading(operation: PoolOperation): boolean {
  return operation.kind !== "remove" && operation.pool.forwarding === "fullnat";
}

/** @param lacking Why the kernel cannot do it; undefined when it can. */
export function refuseMasquerading(
  operation: PoolOperation,
  lacking: string | undefined,
): OperationFailure[] {
  if (operation.kind === "remove" || !isMasquerading(operation)) return [];
  const { uid } = operation.pool;
  const impossible = impossibleFor(operation.pool);
  if (impossible !== undefined) {
    const message = `Cannot program pool "${uid}": the ipvs driver does not ${impossible} with fullnat; use nat`;
    return [{ uid, code: "KernelUnsupported", message }];
  }
  if (lacking === undefined) return [];
  const remedy = "it takes the modules nft_chain_nat, nft_masq and nft_ct; or use nat";
  const message = `Cannot program pool "${uid}" with fullnat: ${lacking}; ${remedy}`;
  return [{ uid, code: "KernelUnsupported", message }];
}

function impossibleFor({ isOnePacket, addresses, members }: ProgrammedPool): string | undefined {
  // Connection tracking would hold the datagrams of one port together.
  if (isOnePacket) return "schedule datagrams one by one";
  if (addresses.some(({ protocol }) => protocol === "SCTP")) return "forward SCTP";
  if (addresses.some(isRange)) return "forward ranges of ports";
  return [...addresses, ...members].some(({ ip }) => ip.includes(":")) ? "forward IPv6" : undefined;
}
