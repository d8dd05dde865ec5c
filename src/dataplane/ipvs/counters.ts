import type { DriverCounters, MemberCounters, ProgrammedPool } from "../driver.ts";
import { placeKey } from "../order.ts";
import { type Programme, parsePlace, rangesOf } from "./programme.ts";
import type { ServiceTable, TableDestination, TableService } from "./table.ts";

/** Reading the whole table for the number of flows alone takes at most this part of the time. */
const COUNTING_SHARE = 0.05;

/** Reads what the kernel counts for our members. It counts no refused packets. */
export class CounterReader {
  readonly #programme: Programme;
  readonly #table: ServiceTable;
  readonly #nowMs: () => number;
  #flowCount = 0;
  /** When the flows are counted again, ms. */
  #recountMs = Number.NEGATIVE_INFINITY;

  constructor(programme: Programme, table: ServiceTable, nowMs: () => number) {
    this.#programme = programme;
    this.#table = table;
    this.#nowMs = nowMs;
  }

  /** @param poolUids Reads the services of these pools alone, and the number of flows when that is due. */
  read(poolUids?: readonly string[]): DriverCounters {
    const programme = this.#programme;
    const isWhole = poolUids === undefined || this.#nowMs() >= this.#recountMs;
    const services = isWhole ? this.#readAll() : undefined;
    const serviceAt = (place: string) =>
      services ? services.get(place) : this.#table.readService(parsePlace(place));
    return {
      members: [...(poolUids ?? programme.entries.keys())].flatMap((uid) => {
        const pool = programme.entries.get(uid)?.pool;
        if (!pool) return [];
        return membersOf(
          pool,
          programme.placesOf(uid).flatMap((place) => serviceAt(place)?.destinations ?? []),
        );
      }),
      drops: {},
      flowEntryCount: this.#flowCount,
      // The table grows with what is in it.
      flowEntryCapacityCount: Number.MAX_SAFE_INTEGER,
      halfOpenCount: 0,
    };
  }

  #readAll(): ReadonlyMap<string, TableService> {
    const programme = this.#programme;
    const startMs = this.#nowMs();
    const { services } = this.#table.read(rangesOf(programme));
    this.#flowCount = [...services]
      .filter(([place]) => programme.ownerOf(place))
      .flatMap(([, { destinations }]) => [...destinations.values()])
      .reduce((sum, each) => sum + each.activeConnections + each.inactiveConnections, 0);
    const endMs = this.#nowMs();
    this.#recountMs = endMs + (endMs - startMs) / COUNTING_SHARE;
    return services;
  }
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
