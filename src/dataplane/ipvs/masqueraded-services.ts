import type { Masquerade } from "../../linux/index.ts";
import { placeKey } from "../order.ts";
import { parsePlace } from "./programme.ts";

/** Keeps a family's table of services whose members see the node's address as pools want it. Services by `placeKey`. */
export class MasqueradedServices {
  readonly #masquerade: Masquerade;
  readonly #isWanted: (place: string) => boolean;
  /** Undefined while there is no table. */
  #listed: Set<string> | undefined;

  /** @param isWanted Whether the pool that serves there wants it. */
  constructor(masquerade: Masquerade, isWanted: (place: string) => boolean) {
    this.#masquerade = masquerade;
    const isOfFamily = (place: string) => parsePlace(place).ip.includes(":") === (masquerade.family === 6);
    this.#isWanted = (place) => isWanted(place) && isOfFamily(place);
  }

  /** Reads the kernel if `always`, or if it may have changed since, and repairs what it lacks of `held` and has beyond. */
  learn(always: boolean, held: () => Iterable<string>): void {
    // Asked in any case: it takes in what has been told.
    const hasChanged = this.#masquerade.hasChanged();
    if (!always && !hasChanged) return;
    const listed = this.#masquerade.list()?.map((service) => placeKey(service));
    this.#listed = listed && new Set(listed);
    this.widen(held());
    this.narrow(listed ?? []);
  }

  /** Adds those that are wanted: before they serve, so that no connection leaves without. */
  widen(places: Iterable<string>): void {
    const missing = [...places].filter((place) => !this.#listed?.has(place) && this.#isWanted(place));
    if (missing.length === 0) return;
    if (this.#listed) this.#masquerade.add(missing.map(parsePlace));
    else this.#masquerade.install(missing.map(parsePlace));
    this.#listed ??= new Set();
    for (const place of missing) this.#listed.add(place);
  }

  /** Removes those that are not wanted: after they have served. Open connections stay as they are. */
  narrow(places: Iterable<string>): void {
    const listed = this.#listed;
    const left = [...places].filter((place) => listed?.has(place) && !this.#isWanted(place));
    if (left.length === 0) return;
    this.#masquerade.remove(left.map(parsePlace));
    for (const place of left) listed?.delete(place);
  }
}
