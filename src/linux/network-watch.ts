import type { Clock } from "../foundation/index.ts";
import { NETLINK_ROUTE, openNetlink } from "./netlink.ts";
import { cpuOrder, decodeAttributes, type NetlinkMessage, NLM_F_DUMP } from "./netlink-codec.ts";
import { decodeDevice, formatMac, type NetworkDevice, RTM } from "./network.ts";

const GROUPS = { link: 1, neighbour: 4, address: 0x10, route: 0x40 };
const NDA_DST = 1;
const NDA_LLADDR = 2;
const NUD_FAILED = 0x20;
const AF_INET = 2;
/** How often arrivals are read; a netlink socket cannot be watched by Node's event loop. */
const POLL_MS = 50;

/**
 * One change of the network. `overrun` means that changes were lost: read everything again.
 * A neighbour that only changes its reachability is no change.
 */
export type NetworkChange =
  | { readonly kind: "device"; readonly device: NetworkDevice; readonly isGone: boolean }
  | { readonly kind: "address" | "route" | "neighbour" | "overrun" };

/** What the watch needs. */
export interface WatchNetworkOptions {
  readonly clock: Clock;
  readonly signal: AbortSignal;
  /** Called with what has changed since the last call, never with nothing. */
  readonly onChanges: (changes: readonly NetworkChange[]) => void;
}

/**
 * Follows devices, addresses, routes and neighbours of this process's network namespace until `signal` aborts.
 * Changes that happen after this call returns are not missed.
 *
 * @returns Settles when the watch has ended; rejects when `onChanges` or the socket fails.
 */
export function watchNetwork(options: WatchNetworkOptions): Promise<void> {
  const netlink = openNetlink(NETLINK_ROUTE, GROUPS.link | GROUPS.neighbour | GROUPS.address | GROUPS.route);
  return follow(options).finally(() => netlink[Symbol.dispose]());

  async function follow({ clock, signal, onChanges }: WatchNetworkOptions): Promise<void> {
    const decode = createChangeDecoder();
    for (const message of listNeighbours()) decode(message);
    while (!signal.aborted) {
      const messages = netlink.receive();
      const changes = messages === "overrun" ? [{ kind: "overrun" } as const] : messages.flatMap(decode);
      if (changes.length > 0) onChanges(changes);
      await clock.sleep(POLL_MS, signal).catch(() => undefined);
    }
  }
}

/** What the kernel knows before the watch begins: a neighbour that changes later must be known. */
function listNeighbours(): readonly NetlinkMessage[] {
  using netlink = openNetlink(NETLINK_ROUTE);
  return netlink.request("list neighbours", RTM.GETNEIGH, NLM_F_DUMP, Buffer.alloc(12));
}

/** Remembers each neighbour's hardware address, because the kernel tells of every NUD state. */
export function createChangeDecoder(): (message: NetlinkMessage) => readonly NetworkChange[] {
  const macs = new Map<string, string>();
  return (message) => {
    switch (message.type) {
      case RTM.NEWLINK:
      case RTM.DELLINK:
        return [{ kind: "device", device: decodeDevice(message), isGone: message.type === RTM.DELLINK }];
      case RTM.NEWADDR:
      case RTM.DELADDR:
        return [{ kind: "address" }];
      case RTM.NEWROUTE:
      case RTM.DELROUTE:
        return [{ kind: "route" }];
      case RTM.NEWNEIGH:
      case RTM.DELNEIGH:
        return hasNeighbourChanged(message, macs) ? [{ kind: "neighbour" }] : [];
      default:
        return [];
    }
  };
}

function hasNeighbourChanged({ type, payload }: NetlinkMessage, macs: Map<string, string>): boolean {
  if (payload[0] !== AF_INET) return false;
  const attributes = decodeAttributes(payload.subarray(12));
  const key = `${cpuOrder.readU32(payload, 4)} ${attributes.get(NDA_DST)?.toString("hex") ?? ""}`;
  const isLost = type === RTM.DELNEIGH || (cpuOrder.readU16(payload, 8) & NUD_FAILED) !== 0;
  const mac = isLost ? "" : formatMac(attributes.get(NDA_LLADDR));
  // Half-way through resolution a neighbour has no address yet: nothing to compare.
  if (!isLost && mac === "") return false;
  const before = macs.get(key);
  if (isLost) macs.delete(key);
  else macs.set(key, mac);
  return before !== undefined && before !== mac;
}
