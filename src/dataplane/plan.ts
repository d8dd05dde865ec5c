import type { ConnectAddress } from "../model/index.ts";
import type { DesiredPool, PoolOperation, ProgrammedAddress, ProgrammedPool } from "./driver.ts";
import { isSameFlowPolicy } from "./flow-policy.ts";
import { comparePlaces, inPlaceOrder, placeKey } from "./order.ts";
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
  const claims = settleClaims(desired, holders);
  const wanted = new Map(desired.map((pool) => [pool.uid, withClaimed(pool, claims)]));
  const releases: PoolOperation[] = [];
  const installs: PoolOperation[] = [];
  for (const uid of [...new Set([...held.keys(), ...wanted.keys()])].sort()) {
    const kernel = held.get(uid);
    const target = withoutElsewhere(targetOf(wanted.get(uid), kernel, nowMs), claims);
    const isReleasing = kernel !== undefined && (!target || mustRelease(kernel, claims));
    const interim = isReleasing ? withoutElsewhere(target, holders) : kernel;
    if (isReleasing) releases.push(operationFor(uid, interim));
    if (target && !isSamePool(target, interim)) installs.push(operationFor(uid, target));
  }
  return [...releases, ...installs];
}

/** The earliest deadline of the pool after `nowMs`, milliseconds of CLOCK_MONOTONIC: when it has to be planned again. */
export function nextDeadlineMs(pool: ProgrammedPool, nowMs: number): number | undefined {
  let next = Number.POSITIVE_INFINITY;
  for (const { closingDeadlineMs = 0 } of pool.addresses)
    if (closingDeadlineMs > nowMs) next = Math.min(next, closingDeadlineMs);
  for (const { deadlineMs = 0 } of pool.members) if (deadlineMs > nowMs) next = Math.min(next, deadlineMs);
  return next === Number.POSITIVE_INFINITY ? undefined : next;
}

/** Which pool has a connect address, by `placeKey`. */
type Holders = ReadonlyMap<string, string>;

function holdersOf(pools: readonly ProgrammedPool[]): Holders {
  const holders = new Map<string, string>();
  for (const { uid, addresses } of pools)
    for (const address of addresses) holders.set(placeKey(address), uid);
  return holders;
}

/** Two pools must not have the same address: who serves on it already keeps it, else the lowest uid gets it. */
function settleClaims(desired: readonly DesiredPool[], holders: Holders): Holders {
  const claims = new Map<string, string>();
  for (const { uid, addresses } of desired) {
    for (const address of addresses) {
      const key = placeKey(address);
      const rival = claims.get(key);
      const holder = rival === undefined ? undefined : holders.get(key);
      if (rival === undefined || holder === uid || (holder !== rival && uid < rival)) claims.set(key, uid);
    }
  }
  return claims;
}

function withClaimed(pool: DesiredPool, claims: Holders): DesiredPool {
  const isClaimed = (address: ConnectAddress) => claims.get(placeKey(address)) === pool.uid;
  if (pool.addresses.every(isClaimed)) return pool;
  return { ...pool, addresses: pool.addresses.filter(isClaimed) };
}

function mustRelease(kernel: ProgrammedPool, claims: Holders): boolean {
  return kernel.addresses.some((address) => (claims.get(placeKey(address)) ?? kernel.uid) !== kernel.uid);
}

/** The target with only those of its addresses that no other pool has. */
function withoutElsewhere(target: ProgrammedPool | undefined, holders: Holders): ProgrammedPool | undefined {
  if (!target) return undefined;
  const isOwn = (address: ProgrammedAddress) => (holders.get(placeKey(address)) ?? target.uid) === target.uid;
  const addresses = target.addresses.every(isOwn) ? target.addresses : target.addresses.filter(isOwn);
  if (addresses.length === 0 && target.members.length === 0) return undefined;
  return addresses === target.addresses ? target : { ...target, addresses };
}

function operationFor(uid: string, target: ProgrammedPool | undefined): PoolOperation {
  return target ? { kind: "install", pool: target } : { kind: "remove", uid };
}

/** Whether the kernel holds exactly the target, in whatever order. `target` is sorted by `comparePlaces`. */
export function isSamePool(target: ProgrammedPool, kernel: ProgrammedPool | undefined): boolean {
  return (
    kernel !== undefined &&
    isSameFlowPolicy(kernel, target) &&
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
  const sorted = inPlaceOrder(kernel);
  return target.every((place, index) => {
    const other = sorted[index];
    return other !== undefined && comparePlaces(place, other) === 0 && isSame(place, other);
  });
}
