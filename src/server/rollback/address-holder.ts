import { ParasausError } from "../../foundation/index.ts";
import type { ConnectAddress, Pool } from "../../model/index.ts";

const EVERY_NODE = "*";

/**
 * A pool comes back with the address that it asks for, or not at all: another pool may have it by now.
 *
 * @throws ParasausError `Conflict` that names the holder
 */
export function refuseTakenAddress({ metadata, spec }: Pool, pools: ReadonlyMap<string, Pool>): void {
  const { ip = EVERY_NODE, port, protocol = "TCP" } = spec;
  if (port === undefined) return;
  const isHeld = (address: ConnectAddress) =>
    address.port === port &&
    address.protocol === protocol &&
    (address.ip === ip || address.ip === EVERY_NODE || ip === EVERY_NODE);
  for (const other of pools.values()) {
    if (other.metadata.namespace === metadata.namespace && other.metadata.name === metadata.name) continue;
    if (!other.status?.connectAddresses?.some(isHeld)) continue;
    const holder = `${other.metadata.namespace}/${other.metadata.name}`;
    throw new ParasausError(
      "Conflict",
      `Cannot roll back pool "${metadata.name}": its address ${ip}:${port}/${protocol} belongs to the pool "${holder}" by now`,
    );
  }
}
