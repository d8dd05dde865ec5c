import { formatIpv4, formatIpv6, ParasausError, parseIpv4, parseIpv6 } from "../foundation/index.ts";
import { ERRNO } from "./kernel-error.ts";
import { NETLINK_ROUTE, openNetlink, unlessMissing } from "./netlink.ts";
import { cpuOrder, decodeAttributes, encodeAttribute, NLM_F_ACK, NLM_F_DUMP } from "./netlink-codec.ts";
import { listDevices, RTM } from "./network.ts";

const AF_INET = 2;
const AF_INET6 = 10;
/** Bytes of an address, by family. */
const ADDRESS_BYTES: Readonly<Record<number, number>> = { [AF_INET]: 4, [AF_INET6]: 16 };
const RT_TABLE_LOCAL = 255;
const RT_SCOPE_HOST = 254;
const RTN_LOCAL = 2;
const RTA_DST = 1;
const RTA_OIF = 4;
const NLM_F_EXCL = 0x200;
const NLM_F_CREATE = 0x400;
/** Tells our routes from others': free in `/etc/iproute2/rt_protos` of every distribution. */
const RTPROT_PARASAUS = 112;
/** RTMGRP_IPV4_ROUTE and RTMGRP_IPV6_ROUTE. */
const GROUPS_ROUTE = 0x440;

/**
 * Routes that make this machine take packets to an address for its own, without the address on a device: 35,000 of them
 * cost seconds. The kernel keeps with each route who made it, so that only ours are ever seen or removed.
 */
export interface LocalRoutes extends Disposable {
  /** The addresses that have a route of ours. */
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
  const news = openNetlink(NETLINK_ROUTE, GROUPS_ROUTE);
  const loopback = listDevices().find(({ isLoopback }) => isLoopback)?.index ?? 1;
  return {
    list: () =>
      [AF_INET, AF_INET6].flatMap((family) => {
        const query = Buffer.alloc(12);
        query[0] = family;
        const routes = netlink.request("list routes", RTM.GETROUTE, NLM_F_DUMP, query);
        return routes.flatMap(({ payload }) => ownDestination(payload, family) ?? []);
      }),
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
  const destination = addressBytes(ip);
  const family = destination.length === 4 ? AF_INET : AF_INET6;
  const header = Buffer.from([
    ...[family, 8 * destination.length, 0, 0],
    ...[RT_TABLE_LOCAL, RTPROT_PARASAUS, RT_SCOPE_HOST, RTN_LOCAL],
    ...[0, 0, 0, 0],
  ]);
  const device = Buffer.alloc(4);
  cpuOrder.writeU32(device, deviceIndex, 0);
  return Buffer.concat([header, encodeAttribute(RTA_DST, destination), encodeAttribute(RTA_OIF, device)]);
}

function addressBytes(ip: string): Buffer {
  const ipv6 = parseIpv6(ip);
  if (ipv6) return ipv6;
  const address = parseIpv4(ip);
  if (address === undefined)
    throw new ParasausError("BadRequest", `Cannot route "${ip}" to this machine: it is no IP address`);
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(address);
  return bytes;
}

/** A kernel without IPv6 answers with routes of other families. */
function ownDestination(payload: Buffer, family: number): string | undefined {
  const bytes = ADDRESS_BYTES[family] ?? 0;
  const isHost = payload[0] === family && payload[1] === 8 * bytes;
  const isOurs = payload[4] === RT_TABLE_LOCAL && payload[5] === RTPROT_PARASAUS;
  const destination = decodeAttributes(payload.subarray(12)).get(RTA_DST);
  if (!isHost || !isOurs || destination?.length !== bytes) return undefined;
  return family === AF_INET ? formatIpv4(destination.readUInt32BE()) : formatIpv6(destination);
}
