import { createHash } from "node:crypto";
import { familyOfIp, type IpFamily } from "../../foundation/index.ts";
import { type ConnectAddress, lastPortOf } from "../../model/index.ts";
import type { FlowTuple } from "../driver.ts";
import { bareAddress, placeKey } from "../order.ts";

/** Marks are from 0x70000000 on; bits that kube-proxy has for itself (0x4000, 0x8000) are in none. */
const FIRST_MARK = 0x70000000;
const FREE_BITS = 0x0fff3fff;

/** A connect address of more than one port. */
export type RangeAddress = ConnectAddress & { readonly lastPort: number };

/** Whether it is more than one port. */
export function isRange(address: ConnectAddress): address is RangeAddress {
  return address.lastPort !== undefined;
}

/**
 * The mark of packets to a range, by which IPVS knows them. It follows from the range alone: nodes agree, and so do an
 * agent and the next one.
 */
export function markOf(range: RangeAddress): number {
  const digest = createHash("sha256")
    .update(placeKey(bareAddress(range)))
    .digest();
  return FIRST_MARK + (digest.readUInt32BE() & FREE_BITS);
}

/** The ranges that pools have or had, by mark. */
export class Ranges {
  readonly #byMark = new Map<string, RangeAddress>();
  readonly #isOwned: (place: string) => boolean;

  /** @param isOwned Whether a pool has the address, by `placeKey`. */
  constructor(isOwned: (place: string) => boolean) {
    this.#isOwned = isOwned;
  }

  /** Remembers an address if it is a range. */
  note(address: ConnectAddress): void {
    const range = bareAddress(address);
    if (!isRange(range)) return;
    const known = this.#byMark.get(keyOf(range));
    if (!known || !this.#isOwned(placeKey(known))) this.#byMark.set(keyOf(range), range);
  }

  /** The range whose packets have this mark; undefined when the mark is somebody else's. */
  at(family: IpFamily, mark: number): RangeAddress | undefined {
    return this.#byMark.get(`${family} ${mark}`);
  }

  /** Another range with the same mark, of which there are 67 million. */
  rivalOf(address: ConnectAddress): RangeAddress | undefined {
    if (!isRange(address)) return undefined;
    const known = this.#byMark.get(keyOf(address));
    return known && placeKey(known) !== placeKey(bareAddress(address)) ? known : undefined;
  }

  /** Every range. */
  all(): Iterable<RangeAddress> {
    return this.#byMark.values();
  }

  /** The ranges that have a flow's connect address, by `placeKey`. */
  around({ ip, port, protocol }: FlowTuple): readonly string[] {
    return [...this.#byMark.values()]
      .filter((each) => each.ip === ip && each.protocol === protocol)
      .filter((each) => port >= each.port && port <= lastPortOf(each))
      .map(placeKey);
  }
}

function keyOf(range: RangeAddress): string {
  return `${familyOfIp(range.ip) ?? 4} ${markOf(range)}`;
}
