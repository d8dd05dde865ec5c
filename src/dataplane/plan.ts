import type { DesiredPool, PoolOperation, ProgrammedAddress, ProgrammedPool } from "./driver.ts";
import { comparePlaces, placeKey } from "./order.ts";
import { targetOf } from "./target.ts";

/**
 * Desired minus observed: the operations that bring the kernel to what is wanted now.
 *
 * Members and addresses that are no longer wanted drain until their deadline and are dropped after it; a deadline once
 * given stays, and a member that is wanted again before it simply goes on. Planning again after the operations were
 * applied gives none. After each single operation every connect address belongs to one pool at most: a pool gives an
 * address up before another one takes it, and keeps it where two pools ask for the same.
 *
 * @param desired A pool that is not among them, or has no addresses, is gone.
 * @param observed What the kernel holds; pools whose addresses `desired` claims must be among them.
 * @param nowMs CLOCK_MONOTONIC as the driver's `nowMs` tells it, milliseconds.
 */
export function planOperations(
  desired: readonly DesiredPool[],
  observed: readonly ProgrammedPool[],
  nowMs: number,
): PoolOperation[] {
  const held = new Map(observed.map((pool) => [pool.uid, pool]));
  const holders = holdersOf(observed);
  const wanted = new Map(settleClaims(desired, holders).map((pool) => [pool.uid, pool]));
  const claims = claimsOf(wanted.values());
  const releases: PoolOperation[] = [];
  const installs: PoolOperation[] = [];
  for (const uid of [...new Set([...held.keys(), ...wanted.keys()])].sort()) {
    const kernel = held.get(uid);
    const target = withoutClaimedElsewhere(targetOf(wanted.get(uid), kernel, nowMs), claims);
    const isReleasing = kernel !== undefined && (!target || mustRelease(kernel, claims));
    const interim = isReleasing ? withoutHeldElsewhere(target, holders) : kernel;
    if (isReleasing) releases.push(operationFor(uid, interim));
    if (target && !isSamePool(target, interim)) installs.push(operationFor(uid, target));
  }
  return [...releases, ...installs];
}

/** The earliest deadline of the pool after `nowMs`, milliseconds of CLOCK_MONOTONIC: when it has to be planned again. */
export function nextDeadlineMs(pool: ProgrammedPool, nowMs: number): number | undefined {
  const deadlines = [
    ...pool.addresses.map((address) => address.closingDeadlineMs ?? 0),
    ...pool.members.map((member) => member.deadlineMs ?? 0),
  ].filter((deadline) => deadline > nowMs);
  return deadlines.length === 0 ? undefined : Math.min(...deadlines);
}

/** Which pool has a connect address, by `placeKey`. */
type Holders = ReadonlyMap<string, string>;

function holdersOf(pools: readonly ProgrammedPool[]): Holders {
  return new Map(pools.flatMap((pool) => pool.addresses.map((address) => [placeKey(address), pool.uid])));
}

/** Two pools must not have the same address: who serves on it already keeps it, else the lowest uid gets it. */
function settleClaims(desired: readonly DesiredPool[], holders: Holders): DesiredPool[] {
  const claimants = new Map<string, string>();
  const byUid = [...desired].sort((a, b) => (a.uid < b.uid ? -1 : 1));
  for (const pool of byUid) {
    for (const key of pool.addresses.map(placeKey)) {
      if (!claimants.has(key) || holders.get(key) === pool.uid) claimants.set(key, pool.uid);
    }
  }
  return byUid.map((pool) => {
    const addresses = pool.addresses.filter((address) => claimants.get(placeKey(address)) === pool.uid);
    return addresses.length === pool.addresses.length ? pool : { ...pool, addresses };
  });
}

function claimsOf(pools: Iterable<DesiredPool>): Holders {
  return new Map(
    [...pools].flatMap((pool) => pool.addresses.map((address) => [placeKey(address), pool.uid])),
  );
}

function mustRelease(kernel: ProgrammedPool, claims: Holders): boolean {
  return kernel.addresses.some((address) => (claims.get(placeKey(address)) ?? kernel.uid) !== kernel.uid);
}

function withoutClaimedElsewhere(
  target: ProgrammedPool | undefined,
  claims: Holders,
): ProgrammedPool | undefined {
  return (
    target && withAddresses(target, (address) => (claims.get(placeKey(address)) ?? target.uid) === target.uid)
  );
}

function withoutHeldElsewhere(
  target: ProgrammedPool | undefined,
  holders: Holders,
): ProgrammedPool | undefined {
  return (
    target &&
    withAddresses(target, (address) => (holders.get(placeKey(address)) ?? target.uid) === target.uid)
  );
}

function withAddresses(
  pool: ProgrammedPool,
  keep: (address: ProgrammedAddress) => boolean,
): ProgrammedPool | undefined {
  const addresses = pool.addresses.filter(keep);
  if (addresses.length === 0 && pool.members.length === 0) return undefined;
  return addresses.length === pool.addresses.length ? pool : { ...pool, addresses };
}

function operationFor(uid: string, target: ProgrammedPool | undefined): PoolOperation {
  return target ? { kind: "install", pool: target } : { kind: "remove", uid };
}

/** Whether the kernel holds exactly the target, in whatever order. `target` is sorted by `comparePlaces`. */
export function isSamePool(target: ProgrammedPool, kernel: ProgrammedPool | undefined): boolean {
  return (
    kernel !== undefined &&
    kernel.scheduler === target.scheduler &&
    kernel.forwarding === target.forwarding &&
    kernel.affinitySeconds === target.affinitySeconds &&
    isSameList(target.addresses, kernel.addresses, (a, b) => a.closingDeadlineMs === b.closingDeadlineMs) &&
    isSameList(
      target.members,
      kernel.members,
      (a, b) => a.weight === b.weight && a.disposition === b.disposition && a.deadlineMs === b.deadlineMs,
    )
  );
}

function isSameList<T extends { readonly ip: string; readonly port: number }>(
  target: readonly T[],
  kernel: readonly T[],
  isSame: (a: T, b: T) => boolean,
): boolean {
  if (target.length !== kernel.length) return false;
  const sorted = [...kernel].sort(comparePlaces);
  return target.every((place, index) => {
    const other = sorted[index];
    return other !== undefined && comparePlaces(place, other) === 0 && isSame(place, other);
  });
}
