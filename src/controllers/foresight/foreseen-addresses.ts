import type { AddressPool, Pool } from "../../model/index.ts";
import { rememberedQuarantine } from "../allocator/address-pool-status.ts";
import { type AllocatableRanges, type Allocation, allocate } from "../allocator/allocate.ts";
import { AddressLedger } from "../allocator/ledger.ts";
import { readRanges } from "../allocator/ranges.ts";
import { keyOf } from "../runtime/object-view.ts";

/** Who has which connect address, and may have which. */
export interface AddressSituation {
  readonly pools: Iterable<Pool>;
  readonly addressPools: readonly AddressPool[];
  readonly nodeIps: ReadonlySet<string>;
  /** Since 1970, milliseconds. */
  readonly nowMs: number;
}

/** Decides as the allocator would, one pool after another, and remembers what it decided. */
export interface ForeseenAddresses {
  allocationFor(pool: Pool): Allocation;
  /** The pool goes, and its address with it. */
  release(pool: Pool): void;
}

/** Knows what is stored, and decides by the allocator's own rules. */
export function foreseeAddresses(situation: AddressSituation): ForeseenAddresses {
  const { addressPools, nowMs } = situation;
  const ledger = ledgerOf(situation);
  const sources = new Map(addressPools.map((each) => [each.metadata.name, sourceOf(each)]));
  const release = (pool: Pool) => {
    const { quarantineSeconds = 0 } = sources.get(pool.spec.addressPool)?.spec ?? {};
    const keptMs = Math.max(quarantineSeconds, pool.spec.drainSeconds) * 1_000;
    ledger.release(holderOf(pool), nowMs + keptMs);
  };
  return {
    release,
    allocationFor(pool) {
      const holder = holderOf(pool);
      const allocation = allocate({ holder, spec: pool.spec, nowMs, startPort: 0 }, ledger, sources);
      if (allocation.kind !== "granted") return allocation;
      release(pool);
      ledger.claim(allocation.address, holder);
      return allocation;
    },
  };
}

function ledgerOf({ pools, addressPools, nodeIps, nowMs }: AddressSituation): AddressLedger {
  const ledger = new AddressLedger();
  ledger.setNodeIps(nodeIps);
  for (const quarantine of addressPools.flatMap(rememberedQuarantine)) ledger.quarantine(quarantine);
  for (const pool of pools) {
    const [address] = pool.status?.connectAddresses ?? [];
    const holder = holderOf(pool);
    if (address && ledger.obstacleTo(address, holder, nowMs)?.kind !== "held") ledger.claim(address, holder);
  }
  ledger.expire(nowMs);
  return ledger;
}

function sourceOf({ metadata, spec }: AddressPool): AllocatableRanges {
  return { name: metadata.name, spec, ranges: readRanges(spec) };
}

function holderOf(pool: Pool) {
  return { uid: pool.metadata.uid ?? "", key: keyOf(pool) };
}
