import { formatIpv4, parseIpv4 } from "../../foundation/index.ts";
import { openRouteFinder, type RouteFinder } from "../../linux/index.ts";

/** How this node reaches an address. */
export interface SourceAnswer {
  /** The node's own address towards it, unsigned 32-bit number; 0 = no route. */
  readonly source: number;
  /** The address is the node's own. */
  readonly isLocal: boolean;
}

/** Finds the address that this node uses towards each member, and remembers it until the network changes. */
export interface SourceFinder extends Disposable {
  /** @param address Unsigned 32-bit number. */
  find(address: number): SourceAnswer;
  /** Forgets everything, because the network has changed. */
  forget(): void;
}

/** Asks the kernel's routing table of this process's network namespace. */
export function createSourceFinder(): SourceFinder {
  const routes = openRouteFinder();
  const known = new Map<number, SourceAnswer>();
  return {
    find(address) {
      const before = known.get(address);
      if (before) return before;
      const answer = ask(routes, address);
      known.set(address, answer);
      return answer;
    },
    forget: () => known.clear(),
    [Symbol.dispose]: () => routes[Symbol.dispose](),
  };
}

function ask(routes: RouteFinder, address: number): SourceAnswer {
  const route = routes.routeTo(formatIpv4(address));
  const source = route?.source === undefined ? 0 : (parseIpv4(route.source) ?? 0);
  return { source, isLocal: route?.isLocal ?? false };
}
