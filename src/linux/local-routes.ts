import { formatIpv4, ParasausError, parseIpv4 } from "../foundation/index.ts";
import { ERRNO } from "./kernel-error.ts";
import { NETLINK_ROUTE, openNetlink, unlessMissing } from "./netlink.ts";
import { cpuOrder, decodeAttributes, encodeAttribute, NLM_F_ACK, NLM_F_DUMP } from "./netlink-codec.ts";
import { listDevices, RTM } from "./network.ts";

const AF_INET = 2;
const RT_TABLE_LOCAL = 255;
const RT_SCOPE_HOST = 254;
const RTN_LOCAL = 2;
const RTA_DST = 1;
const RTA_OIF = 4;
const NLM_F_EXCL = 0x200;
const NLM_F_CREATE = 0x400;
/** Tells our routes from others': free in `/etc/iproute2/rt_protos` of every distribution. */
const RTPROT_PARASAUS = 112;
const GROUP_IPV4_ROUTE = 0x40;

/**
 * Routes that make this machine take packets to an address for its own, without the address on a device: 35,000 of them
 * cost seconds. The kernel keeps with each route who made it, so that only ours are ever seen or removed.
 */
export interface LocalRoutes extends Disposable {
  /** The addresses that have a route of ours, IPv4. */
  list(): readonly string[];
  /** Whether any route of the machine may have changed since the last call, by whomever. */
  hasChanged(): boolean;
  /** One that the machine has already gets no route. */
  add(ip: string): void;
  remove(ip: string): void;
}

/** Opens the local routes of this process's network namespace. */
export function openLocalRoutes(): LocalRoutes {
  const netlink = openNetlink(NETLINK_ROUTE);
  const news = openNetlink(NETLINK_ROUTE, GROUP_IPV4_ROUTE);
  const loopback = listDevices().find(({ isLoopback }) => isLoopback)?.index ?? 1;
  return {
    list() {
      const query = Buffer.alloc(12);
      query[0] = AF_INET;
      return netlink.request("list routes", RTM.GETROUTE, NLM_F_DUMP, query).flatMap(({ payload }) => {
        const isOurs = payload[1] === 32 && payload[4] === RT_TABLE_LOCAL && payload[5] === RTPROT_PARASAUS;
        const destination = decodeAttributes(payload.subarray(12)).get(RTA_DST);
        return isOurs && destination?.length === 4 ? [formatIpv4(destination.readUInt32BE())] : [];
      });
    },
    hasChanged() {
      const messages = news.receive();
      return messages === "overrun" || messages.length > 0;
    },
    add(ip) {
      const flags = NLM_F_ACK | NLM_F_CREATE | NLM_F_EXCL;
      const query = encodeLocalRoute(ip, loopback);
      unlessMissing(
        () => netlink.request(`route ${ip} to this machine`, RTM.NEWROUTE, flags, query),
        [ERRNO.EEXIST],
      );
    },
    remove(ip) {
      const query = encodeLocalRoute(ip, loopback);
      unlessMissing(
        () => netlink.request(`remove the route of ${ip}`, RTM.DELROUTE, NLM_F_ACK, query),
        [ERRNO.ESRCH, ERRNO.ENOENT],
      );
    },
    [Symbol.dispose]() {
      netlink[Symbol.dispose]();
      news[Symbol.dispose]();
    },
  };
}

/** `struct rtmsg` and attributes of one local route. */
export function encodeLocalRoute(ip: string, deviceIndex: number): Buffer {
  const address = parseIpv4(ip);
  if (address === undefined)
    throw new ParasausError("BadRequest", `Cannot route "${ip}" to this machine: it is no IPv4 address`);
  const header = Buffer.from([
    ...[AF_INET, 32, 0, 0],
    ...[RT_TABLE_LOCAL, RTPROT_PARASAUS, RT_SCOPE_HOST, RTN_LOCAL],
    ...[0, 0, 0, 0],
  ]);
  const destination = Buffer.alloc(4);
  destination.writeUInt32BE(address);
  const device = Buffer.alloc(4);
  cpuOrder.writeU32(device, deviceIndex, 0);
  return Buffer.concat([header, encodeAttribute(RTA_DST, destination), encodeAttribute(RTA_OIF, device)]);
}
