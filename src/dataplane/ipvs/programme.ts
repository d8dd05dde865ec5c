import { type ConnectAddress, PROTOCOLS } from "../../model/index.ts";
import type { FlowTuple, PoolOperation, ProgrammedAddress, ProgrammedPool } from "../driver.ts";
import { flowPolicyOf } from "../flow-policy.ts";
import { bareAddress, placeKey } from "../order.ts";
import { Ranges } from "./ranges.ts";
import { destinationsOf, isAddressDone, type Service } from "./services.ts";
import type { RangeAt } from "./table.ts";

/** One pool, and where its flows are apart from its own addresses. */
export interface PoolEntry {
  readonly pool: ProgrammedPool;
  /** Services, by `placeKey`, that another pool took over while members of this one had flows there. */
  readonly lingersAt: readonly string[];
}

/** Everything of ours that the kernel's table shall hold, and which service belongs to whom. */
export class Programme {
  readonly #entries = new Map<string, PoolEntry>();
  /** Which pool has an address, which may be `*`. */
  readonly #holders = new Map<string, string>();
  readonly #lingerers = new Map<string, Set<string>>();
  /** Every range of ports that a pool has or had. */
  readonly ranges = new Ranges((place) => this.ownerOf(place) !== undefined);
  #nodeAddresses: readonly string[] = [];

  get entries(): ReadonlyMap<string, PoolEntry> {
    return this.#entries;
  }

  /** What `*` stands for. */
  get nodeAddresses(): readonly string[] {
    return this.#nodeAddresses;
  }

  /**
   * Takes over what operations want.
   *
   * @returns the services concerned, by `placeKey`
   */
  change(operations: readonly PoolOperation[]): ReadonlySet<string> {
    const concerned = new Set<string>();
    const note = (places: Iterable<string>) => {
      for (const place of places) concerned.add(place);
    };
    const before = new Map<string, readonly string[]>();
    for (const operation of operations) {
      const uid = operation.kind === "remove" ? operation.uid : operation.pool.uid;
      const places = this.placesOf(uid);
      note(places);
      before.set(uid, [...(before.get(uid) ?? []), ...places]);
      const entry = operation.kind === "install" ? { pool: operation.pool, lingersAt: [] } : undefined;
      this.set(uid, entry);
    }
    for (const [uid, places] of before) {
      const entry = this.#entries.get(uid);
      if (entry) this.set(uid, { ...entry, lingersAt: this.#lingering(entry.pool, places) });
      note(this.placesOf(uid));
    }
    return concerned;
  }

  /** Puts or removes one pool as it is. */
  set(uid: string, entry: PoolEntry | undefined): void {
    const known = this.#entries.get(uid);
    for (const address of known?.pool.addresses ?? []) {
      const key = keyOf(address);
      if (this.#holders.get(key) === uid) this.#holders.delete(key);
    }
    for (const place of known?.lingersAt ?? []) this.#lingerers.get(place)?.delete(uid);
    if (!entry) {
      this.#entries.delete(uid);
      return;
    }
    this.#entries.set(uid, entry);
    for (const address of entry.pool.addresses) {
      this.#holders.set(keyOf(address), uid);
      this.ranges.note(address);
    }
    for (const place of entry.lingersAt) {
      this.ranges.note(parsePlace(place));
      const uids = this.#lingerers.get(place) ?? new Set();
      this.#lingerers.set(place, uids.add(uid));
    }
  }

  /** Replaces what `*` stands for. @returns the services concerned, by `placeKey` */
  setNodeAddresses(addresses: readonly string[]): ReadonlySet<string> {
    const [old, fresh] = [new Set(this.#nodeAddresses), new Set(addresses)];
    const changed = [...addresses.filter((ip) => !old.has(ip)), ...[...old].filter((ip) => !fresh.has(ip))];
    this.#nodeAddresses = addresses;
    const concerned = new Set<string>();
    for (const { pool } of this.#entries.values()) {
      for (const { ip, port, protocol } of pool.addresses) {
        if (ip !== "*") continue;
        for (const each of changed) concerned.add(placeKey({ ip: each, port, protocol }));
      }
    }
    return concerned;
  }

  /** Every service that a pool serves on, or has flows at, by `placeKey`. */
  placesOf(uid: string): readonly string[] {
    const entry = this.#entries.get(uid);
    if (!entry) return [];
    return [
      ...entry.pool.addresses.flatMap((address) => this.addressesOf(address).map(keyOf)),
      ...entry.lingersAt,
    ];
  }

  /** The addresses that one connect address stands for. */
  addressesOf(address: ConnectAddress): readonly ConnectAddress[] {
    const ips = address.ip === "*" ? this.#nodeAddresses : [address.ip];
    return ips.map((ip) => ({ ...bareAddress(address), ip }));
  }

  /** The pool that serves there: an address of its own wins over `*`. */
  ownerOf(place: string): { readonly pool: ProgrammedPool; readonly address: ProgrammedAddress } | undefined {
    const address = parsePlace(place);
    const everywhere = this.#nodeAddresses.includes(address.ip) ? placeKey({ ...address, ip: "*" }) : "";
    for (const key of [place, everywhere]) {
      const pool = this.#entries.get(this.#holders.get(key) ?? "")?.pool;
      const found = pool?.addresses.find((each) => keyOf(each) === key);
      if (pool && found) return { pool, address: found };
    }
    return undefined;
  }

  /** The pools whose flows are at a service: who serves there, then those who did before. */
  poolsAt(place: string): readonly ProgrammedPool[] {
    const owner = this.ownerOf(place)?.pool;
    const before = [...(this.#lingerers.get(place) ?? [])].flatMap(
      (uid) => this.#entries.get(uid)?.pool ?? [],
    );
    return [...(owner ? [owner] : []), ...before.filter((pool) => pool !== owner)];
  }

  /** The services that a flow's connect address may belong to, by `placeKey`. */
  placesAround(flow: FlowTuple): readonly string[] {
    const { ip, port, protocol } = flow;
    return [placeKey({ ip, port, protocol }), ...this.ranges.around(flow)];
  }

  /** The pools whose flow it may be, and whether it is one of a range of ports. */
  poolsAround(flow: FlowTuple): readonly { readonly pool: ProgrammedPool; readonly isInRange: boolean }[] {
    return this.placesAround(flow).flatMap((place, index) =>
      this.poolsAt(place).map((pool) => ({ pool, isInRange: index > 0 })),
    );
  }

  /** The service as it shall be; undefined when there shall be none. */
  service(place: string, nowMs: number): Service | undefined {
    const owner = this.ownerOf(place);
    if (!owner || isAddressDone(owner.address, nowMs)) return undefined;
    const { pool, address } = owner;
    // At a range that closes no packet is marked any more, while one that overlaps it may serve already.
    const takesNewFlows = address.closingDeadlineMs === undefined || address.lastPort !== undefined;
    const [, ...before] = this.poolsAt(place);
    const lingering = before.flatMap((each) => [...destinationsOf(each, false, nowMs)]);
    return {
      address: parsePlace(place),
      ...flowPolicyOf(pool),
      destinations: new Map([...lingering, ...destinationsOf(pool, takesNewFlows, nowMs)]),
    };
  }

  #lingering(pool: ProgrammedPool, places: readonly string[]): readonly string[] {
    if (pool.members.length === 0) return [];
    const isTaken = (place: string) => (this.ownerOf(place)?.pool.uid ?? pool.uid) !== pool.uid;
    return [...new Set(places)].filter(isTaken);
  }
}

function keyOf(address: ConnectAddress): string {
  return placeKey(bareAddress(address));
}

/** The reverse of `placeKey` for an address. */
export function parsePlace(place: string): ConnectAddress {
  const [protocol, where = ""] = place.split(" ");
  const colon = where.lastIndexOf(":");
  const host = where.slice(0, colon);
  const [port, lastPort] = where.slice(colon + 1).split("-");
  return {
    protocol: PROTOCOLS.find((each) => each === protocol) ?? "TCP",
    ip: host.startsWith("[") ? host.slice(1, -1) : host,
    port: Number(port),
    ...(lastPort === undefined ? {} : { lastPort: Number(lastPort) }),
  };
}

/** What marks stand for. */
export function rangesOf({ ranges }: Programme): RangeAt {
  return (family, mark) => ranges.at(family, mark);
}
