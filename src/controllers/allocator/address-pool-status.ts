import type { AddressPool, ConnectAddress, QuarantinedAddress } from "../../model/index.ts";
import type { AddressLedger, Quarantine } from "./ledger.ts";
import { type AddressRanges, capacityOf, contains } from "./ranges.ts";

/** Most quarantined addresses that are remembered over a restart, a count: an object has a size limit. */
const MOST_REMEMBERED = 5_000;

/** How full an address pool is. */
export interface AddressPoolUse {
  /** Connect addresses that there are, held and kept back: a count each. */
  readonly capacityCount: number;
  readonly usedCount: number;
  readonly quarantinedCount: number;
}

/** Counts the use of the ranges. */
export function useOf(ranges: AddressRanges, ledger: AddressLedger): AddressPoolUse {
  const { held, quarantined } = ledger.countWithin((ip, port) => contains(ranges, ip, port));
  return { capacityCount: capacityOf(ranges), usedCount: held, quarantinedCount: quarantined };
}

/** The address pool with its use and its quarantine in the status, or undefined when they stand there already. */
export function withUse(
  pool: AddressPool,
  use: AddressPoolUse,
  ledger: AddressLedger,
): AddressPool | undefined {
  const quarantine = [...ledger.quarantines()]
    .filter(({ address }) => address.addressPool === pool.metadata.name)
    .sort((a, b) => b.untilMs - a.untilMs || a.address.port - b.address.port)
    .slice(0, MOST_REMEMBERED)
    .map(toStored);
  const next = { ...pool.status, capacity: use.capacityCount, used: use.usedCount, quarantine };
  const before = pool.status;
  const isSame =
    before?.capacity === next.capacity &&
    before.used === next.used &&
    JSON.stringify(before.quarantine ?? []) === JSON.stringify(quarantine);
  return isSame ? undefined : { ...pool, status: next };
}

/** What a restarted allocator keeps back. Unreadable dates are over. */
export function rememberedQuarantine(pool: AddressPool): Quarantine[] {
  return (pool.status?.quarantine ?? []).map(({ pool: key, until, ...address }) => ({
    address: { ...address, addressPool: pool.metadata.name } satisfies ConnectAddress,
    key,
    untilMs: Date.parse(until) || 0,
  }));
}

function toStored({ address, key, untilMs }: Quarantine): QuarantinedAddress {
  const { addressPool: _, ...where } = address;
  return { ...where, pool: key, until: new Date(Math.ceil(untilMs / 1_000) * 1_000).toISOString() };
}
