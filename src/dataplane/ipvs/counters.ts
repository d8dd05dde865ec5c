import type { DriverCounters, MemberCounters, ProgrammedPool } from "../driver.ts";
import { placeKey } from "../order.ts";
import type { Programme } from "./programme.ts";
import type { TableContent, TableDestination } from "./table.ts";

/** What the kernel counts for our members, over all services of each pool. It counts no refused packets. */
export function countersOf(programme: Programme, { services }: TableContent): DriverCounters {
  const members = [...programme.entries.values()].flatMap(({ pool }) => {
    const destinations = programme
      .placesOf(pool.uid)
      .flatMap((place) => services.get(place)?.destinations ?? []);
    return membersOf(pool, destinations);
  });
  const connections = [...services.keys()]
    .filter((place) => programme.ownerOf(place))
    .flatMap((place) => [...(services.get(place)?.destinations.values() ?? [])])
    .map(({ activeConnections, inactiveConnections }) => activeConnections + inactiveConnections);
  return {
    members,
    drops: {},
    flowEntryCount: connections.reduce((sum, count) => sum + count, 0),
    // The table grows with what is in it.
    flowEntryCapacityCount: Number.MAX_SAFE_INTEGER,
    halfOpenCount: 0,
  };
}

function membersOf(
  { uid, members }: ProgrammedPool,
  services: readonly ReadonlyMap<string, TableDestination>[],
): readonly MemberCounters[] {
  return members.flatMap(({ ip, port }) => {
    const found = services.flatMap((destinations) => destinations.get(placeKey({ ip, port })) ?? []);
    if (found.length === 0) return [];
    const sum = (name: Counter) => found.reduce((total, destination) => total + destination[name], 0);
    return [
      {
        poolUid: uid,
        ip,
        port,
        activeConnections: sum("activeConnections"),
        totalConnections: sum("totalConnections"),
        packetsIn: sum("packetsIn"),
        bytesIn: sum("bytesIn"),
        packetsOut: sum("packetsOut"),
        bytesOut: sum("bytesOut"),
      },
    ];
  });
}

type Counter = "activeConnections" | "totalConnections" | "packetsIn" | "bytesIn" | "packetsOut" | "bytesOut";
