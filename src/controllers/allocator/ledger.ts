import { type ConnectAddress, lastPortOf, type Protocol } from "../../model/index.ts";
import { EVERY_NODE } from "./ranges.ts";

/** A pool that holds or wants a connect address. */
export interface Holder {
  readonly uid: string;
  /** `namespace/name`. */
  readonly key: string;
}

/** A released connect address that is kept back for a while. */
export interface Quarantine {
  readonly address: ConnectAddress;
  /** `namespace/name` of the pool that had it; the next pool of that name may have it at once. */
  readonly key: string;
  /** Wall clock, ms since 1970. */
  readonly untilMs: number;
}

/** Why a connect address cannot be had. */
export type Obstacle =
  | { readonly kind: "held"; readonly holder: Holder; readonly address: ConnectAddress }
  | { readonly kind: "quarantined"; readonly quarantine: Quarantine };

interface Slot {
  readonly holders: Map<Protocol, Holder>;
  readonly quarantines: Map<Protocol, Quarantine>;
}

/**
 * Who holds which connect address. In memory, in one process, without waiting: two claims can never overlap.
 * Indexed by port first, because `*` meets every address of a node on its port.
 */
export class AddressLedger {
  readonly #slots = new Map<number, Map<string, Slot>>();
  readonly #heldBy = new Map<string, ConnectAddress>();
  readonly #quarantines = new Set<Quarantine>();
  /** The latest quarantine of each pool name. */
  readonly #lastOf = new Map<string, Quarantine>();
  readonly #usedIps = new Map<string, number>();
  #nodeIps: ReadonlySet<string> = new Set();
  #freedCount = 0;

  /** Tells which addresses `*` stands for. */
  setNodeIps(ips: ReadonlySet<string>): void {
    this.#nodeIps = ips;
  }

  /** Rises whenever something that was taken may be free; while it stands, what was exhausted still is. */
  get freedCount(): number {
    return this.#freedCount;
  }

  /** The connect address of a pool. */
  addressOf(uid: string): ConnectAddress | undefined {
    return this.#heldBy.get(uid);
  }

  /** Whether anything holds, or held until lately, a port of this address. */
  isIpUsed(ip: string): boolean {
    return this.#usedIps.has(ip);
  }

  /** Whether nothing at all, of whatever protocol, has to do with this port of this address. */
  isUntouched(ip: string, port: number): boolean {
    return this.#overlapping(ip, port).length === 0;
  }

  /** What keeps `holder` from having exactly this connect address. */
  obstacleTo(address: ConnectAddress, holder: Holder, nowMs: number): Obstacle | undefined {
    for (const port of eachPortOf(address)) {
      for (const slot of this.#overlapping(address.ip, port)) {
        const obstacle = this.#obstacleIn(slot, address.protocol, holder, nowMs);
        if (obstacle) return obstacle;
      }
    }
    return undefined;
  }

  #obstacleIn(slot: Slot, protocol: Protocol, holder: Holder, nowMs: number): Obstacle | undefined {
    const other = slot.holders.get(protocol);
    const held = other && this.#heldBy.get(other.uid);
    if (other && held && other.uid !== holder.uid) return { kind: "held", holder: other, address: held };
    const quarantine = slot.quarantines.get(protocol);
    const isKept = quarantine && quarantine.key !== holder.key && quarantine.untilMs > nowMs;
    return isKept ? { kind: "quarantined", quarantine } : undefined;
  }

  /** Gives a connect address to a pool that has none. The caller has asked for obstacles before, in the same turn. */
  claim(address: ConnectAddress, holder: Holder): void {
    this.#heldBy.set(holder.uid, address);
    for (const port of eachPortOf(address)) {
      const slot = this.#slotAt(address.ip, port);
      slot.holders.set(address.protocol, holder);
      const quarantine = slot.quarantines.get(address.protocol);
      // One that reaches further goes on for the ports beyond.
      if (quarantine && isWithin(quarantine.address, address)) this.endQuarantine(quarantine);
    }
  }

  /** Takes the connect address back and keeps it back until `untilMs`. */
  release(holder: Holder, untilMs: number): Quarantine | undefined {
    const address = this.#heldBy.get(holder.uid);
    if (!address) return undefined;
    this.#heldBy.delete(holder.uid);
    for (const port of eachPortOf(address)) this.#slotAt(address.ip, port).holders.delete(address.protocol);
    this.#freedCount += 1;
    const quarantine = { address, key: holder.key, untilMs };
    this.quarantine(quarantine);
    return quarantine;
  }

  /** Keeps a connect address back; the later deadline wins. */
  quarantine(quarantine: Quarantine): void {
    const { ip, protocol } = quarantine.address;
    let isLater = false;
    for (const port of eachPortOf(quarantine.address)) {
      const slot = this.#slotAt(ip, port);
      const known = slot.quarantines.get(protocol);
      if (known && known.untilMs >= quarantine.untilMs) continue;
      if (known && isWithin(known.address, quarantine.address)) this.#quarantines.delete(known);
      slot.quarantines.set(protocol, quarantine);
      isLater = true;
    }
    if (!isLater) return;
    this.#quarantines.add(quarantine);
    this.#lastOf.set(quarantine.key, quarantine);
  }

  endQuarantine(quarantine: Quarantine): void {
    const { ip, protocol } = quarantine.address;
    for (const port of eachPortOf(quarantine.address)) {
      const slot = this.#slotAt(ip, port);
      if (slot.quarantines.get(protocol) === quarantine) slot.quarantines.delete(protocol);
      this.#forgetIfEmpty(ip, port, slot);
    }
    this.#quarantines.delete(quarantine);
    this.#freedCount += 1;
    if (this.#lastOf.get(quarantine.key) === quarantine) this.#lastOf.delete(quarantine.key);
  }

  /** Ends what is over. @returns whether anything ended */
  expire(nowMs: number): boolean {
    const over = [...this.#quarantines].filter(({ untilMs }) => untilMs <= nowMs);
    for (const quarantine of over) this.endQuarantine(quarantine);
    return over.length > 0;
  }

  quarantines(): IterableIterator<Quarantine> {
    return this.#quarantines.values();
  }

  /** The quarantined address that the last pool of this name had. */
  lastAddressOf(key: string): ConnectAddress | undefined {
    return this.#lastOf.get(key)?.address;
  }

  /** Ports that are held and ports that are only kept back, a count each, among those that `isInside` accepts. */
  countWithin(isInside: (ip: string, port: number) => boolean): { held: number; quarantined: number } {
    let held = 0;
    let quarantined = 0;
    for (const [port, slots] of this.#slots) {
      for (const [ip, slot] of slots) {
        if (!isInside(ip, port)) continue;
        if (slot.holders.size > 0) held += 1;
        else if (slot.quarantines.size > 0) quarantined += 1;
      }
    }
    return { held, quarantined };
  }

  /** Slots whose connect addresses meet this one: the same address, or a node's own address and `*`. */
  #overlapping(ip: string, port: number): Slot[] {
    const slots = this.#slots.get(port);
    if (!slots) return [];
    if (ip === EVERY_NODE) {
      return [...slots].filter(([other]) => other === ip || this.#nodeIps.has(other)).map(([, slot]) => slot);
    }
    const met = [slots.get(ip), this.#nodeIps.has(ip) ? slots.get(EVERY_NODE) : undefined];
    return met.filter((slot) => slot !== undefined);
  }

  #slotAt(ip: string, port: number): Slot {
    let slots = this.#slots.get(port);
    if (!slots) {
      slots = new Map();
      this.#slots.set(port, slots);
    }
    let slot = slots.get(ip);
    if (!slot) {
      slot = { holders: new Map(), quarantines: new Map() };
      slots.set(ip, slot);
      this.#usedIps.set(ip, (this.#usedIps.get(ip) ?? 0) + 1);
    }
    return slot;
  }

  #forgetIfEmpty(ip: string, port: number, slot: Slot): void {
    if (slot.holders.size > 0 || slot.quarantines.size > 0) return;
    const slots = this.#slots.get(port);
    if (!slots?.delete(ip)) return;
    if (slots.size === 0) this.#slots.delete(port);
    const left = (this.#usedIps.get(ip) ?? 1) - 1;
    if (left > 0) this.#usedIps.set(ip, left);
    else this.#usedIps.delete(ip);
  }
}

function* eachPortOf(address: ConnectAddress): Generator<number> {
  for (let port = address.port; port <= lastPortOf(address); port += 1) yield port;
}

/** Whether `outer`, of the same address and protocol, has every port of `inner`. */
function isWithin(inner: ConnectAddress, outer: ConnectAddress): boolean {
  return inner.port >= outer.port && lastPortOf(inner) <= lastPortOf(outer);
}
