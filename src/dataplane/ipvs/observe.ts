import type { ProgrammedAddress, ProgrammedMember, ProgrammedPool } from "../driver.ts";
import { inPlaceOrder, placeKey } from "../order.ts";
import type { PoolEntry, Programme } from "./programme.ts";
import {
  type Destination,
  isAddressDone,
  isMemberDone,
  isSamePolicy,
  methodOf,
  type Service,
} from "./services.ts";

/**
 * What the kernel holds of our pools: as the record has it where the kernel agrees, otherwise as the kernel has it, so
 * that the next plan repairs the difference. An address counts only where every service that it stands for is right.
 *
 * @param held The kernel's services that are ours, by `placeKey`.
 */
export function observePools(
  programme: Programme,
  held: ReadonlyMap<string, Service>,
  nowMs: number,
): readonly ProgrammedPool[] {
  return [...programme.entries.values()]
    .map((entry) => observePool(programme, held, entry, nowMs))
    .sort((a, b) => (a.uid < b.uid ? -1 : 1));
}

function observePool(
  programme: Programme,
  held: ReadonlyMap<string, Service>,
  { pool, lingersAt }: PoolEntry,
  nowMs: number,
): ProgrammedPool {
  const own = new Set(
    pool.addresses
      .filter((address) => !isAddressDone(address, nowMs))
      .flatMap((address) => servicesFor(address)),
  );
  const lingering = lingersAt.filter((place) => programme.poolsAt(place).includes(pool) && !own.has(place));
  const places = [...own, ...lingering];
  const addresses = pool.addresses.filter(
    (address) => isAddressDone(address, nowMs) || servicesFor(address).every(isRight),
  );
  const members = inPlaceOrder([
    ...pool.members.flatMap((member) => observeMember(member)),
    ...strangersAt(programme, held, own),
  ]);
  // A node has 35,000 of them, all right.
  const isAsWanted = hasSame(addresses, pool.addresses) && hasSame(members, pool.members);
  return isAsWanted ? pool : { ...pool, addresses, members };

  /** Services of this pool that an address stands for: those that another pool has for its own are not. */
  function servicesFor(address: ProgrammedAddress): readonly string[] {
    return programme
      .addressesOf(address)
      .map((each) => placeKey(each))
      .filter((place) => programme.ownerOf(place)?.pool === pool);
  }

  function isRight(place: string): boolean {
    const service = held.get(place);
    return service !== undefined && isSamePolicy(service, pool);
  }

  function observeMember(member: ProgrammedMember): readonly ProgrammedMember[] {
    const { ip, port } = member;
    // Where a whole service is missing, its address says so.
    const there = isMemberDone(member, nowMs) ? [] : places.filter((place) => held.has(place));
    const wrong = there.flatMap((place) => {
      const key = placeKey({ ip, port });
      const found = held.get(place)?.destinations.get(key);
      const wanted = programme.service(place, nowMs)?.destinations.get(key);
      return found?.method === wanted?.method && found?.weight === wanted?.weight ? [] : [found];
    });
    if (wrong.length === 0) return [member];
    const [found] = wrong;
    const method = methodOf(pool);
    const isMissing = wrong.some((each) => each?.method !== method);
    return !found || isMissing ? [] : [{ ip, port, weight: found.weight, disposition: "active" }];
  }
}

function hasSame<Item>(found: readonly Item[], wanted: readonly Item[]): boolean {
  return found.length === wanted.length && found.every((each, index) => each === wanted[index]);
}

/** Destinations that somebody else added to services of ours. */
function strangersAt(
  programme: Programme,
  held: ReadonlyMap<string, Service>,
  places: Iterable<string>,
): ProgrammedMember[] {
  const found = new Map<string, Destination>();
  for (const place of places) {
    const members = programme.poolsAt(place).flatMap((pool) => pool.members);
    const known = new Set(members.map(({ ip, port }) => placeKey({ ip, port })));
    for (const [key, destination] of held.get(place)?.destinations ?? []) {
      if (!known.has(key)) found.set(key, destination);
    }
  }
  return [...found.values()].map(({ ip, port, weight }) => ({ ip, port, weight, disposition: "active" }));
}
