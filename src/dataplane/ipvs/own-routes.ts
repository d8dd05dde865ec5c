import type { LocalRoutes } from "../../linux/index.ts";

/**
 * The kernel takes only packets to its own addresses to IPVS: with a route each, a pool's own address becomes one, once it
 * is served.
 */
export class OwnRoutes {
  readonly #routes: LocalRoutes;
  /** Whether an address that is none of the node's is served. */
  readonly #isWanted: (ip: string) => boolean;
  /** Addresses that our routes make the machine's own. */
  readonly #routed = new Set<string>();

  constructor(routes: LocalRoutes, isWanted: (ip: string) => boolean) {
    this.#routes = routes;
    this.#isWanted = isWanted;
  }

  /** Reads the routes if `always`, or if they may have changed since, and brings them. @param ips All that may be wanted. */
  learn(always: boolean, ips: () => Iterable<string>): void {
    // Asked in any case: it takes in what has been told.
    const hasChanged = this.#routes.hasChanged();
    if (!always && !hasChanged) return;
    this.#routed.clear();
    for (const ip of this.#routes.list()) this.#routed.add(ip);
    this.bring([...this.#routed, ...ips()]);
  }

  /** Adds and removes what is not as wanted. @param ips The addresses concerned. */
  bring(ips: readonly string[]): void {
    for (const ip of new Set(ips)) {
      const isWanted = this.#isWanted(ip);
      if (isWanted === this.#routed.has(ip)) continue;
      if (isWanted) {
        this.#routes.add(ip);
        this.#routed.add(ip);
      } else {
        this.#routes.remove(ip);
        this.#routed.delete(ip);
      }
    }
  }
}
