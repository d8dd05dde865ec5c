import { createHash } from "node:crypto";
import { formatIpv4, ParasausError, parseIpv4 } from "../foundation/index.ts";
import { ERRNO } from "./kernel-error.ts";
import { cString } from "./native.ts";
import { NETLINK_ROUTE, openNetlink, unlessMissing } from "./netlink.ts";
import {
  cpuOrder,
  decodeAttributes,
  encodeAttribute,
  type NetlinkMessage,
  NLM_F_DUMP,
} from "./netlink-codec.ts";

const AF_INET = 2;
const ARPHRD_ETHER = 1;
const IFF_UP = 1;
const IFF_LOOPBACK = 8;
const IFLA_ADDRESS = 1;
const IFLA_IFNAME = 3;
const IFA_LOCAL = 2;
const RTA_DST = 1;
const RTA_OIF = 4;
const RTA_GATEWAY = 5;
const RTA_PREFSRC = 7;
const RTN_LOCAL = 2;

/** Message types of rtnetlink. */
export const RTM = {
  NEWLINK: 16,
  DELLINK: 17,
  GETLINK: 18,
  NEWADDR: 20,
  DELADDR: 21,
  GETADDR: 22,
  NEWROUTE: 24,
  DELROUTE: 25,
  GETROUTE: 26,
  NEWNEIGH: 28,
  DELNEIGH: 29,
  GETNEIGH: 30,
} as const;

/** A network device. */
export interface NetworkDevice {
  /** Number of the device in its network namespace. */
  readonly index: number;
  readonly name: string;
  readonly isUp: boolean;
  readonly isLoopback: boolean;
  /** Its packets begin with an Ethernet header. */
  readonly isEthernet: boolean;
  /** `02:00:...`; empty where it has none. */
  readonly mac: string;
}

/** An IPv4 address of a device. */
export interface DeviceAddress {
  /** Number of the device in its network namespace. */
  readonly deviceIndex: number;
  readonly ip: string;
  /** Leading bits of the subnet. */
  readonly prefixBits: number;
  readonly scope: "global" | "link" | "host" | "other";
}

/** How packets to an address leave this machine. */
export interface Route {
  /** Address that the kernel would send from. */
  readonly source?: string;
  /** Number of the device in its network namespace. */
  readonly deviceIndex: number;
  /** Next hop, where it is not the destination itself. */
  readonly gateway?: string;
  /** The destination is this machine. */
  readonly isLocal: boolean;
}

/** Every device of this process's network namespace. */
export function listDevices(): readonly NetworkDevice[] {
  using netlink = openNetlink(NETLINK_ROUTE);
  const answer = netlink.request("list network devices", RTM.GETLINK, NLM_F_DUMP, Buffer.alloc(16));
  return answer.map(decodeDevice);
}

/** Reads a NEWLINK or DELLINK message. */
export function decodeDevice({ payload }: NetlinkMessage): NetworkDevice {
  const attributes = decodeAttributes(payload.subarray(16));
  const flags = cpuOrder.readU32(payload, 8);
  return {
    index: cpuOrder.readI32(payload, 4),
    name: cString(attributes.get(IFLA_IFNAME) ?? Buffer.alloc(0)),
    isUp: (flags & IFF_UP) !== 0,
    isLoopback: (flags & IFF_LOOPBACK) !== 0,
    isEthernet: cpuOrder.readU16(payload, 2) === ARPHRD_ETHER,
    mac: formatMac(attributes.get(IFLA_ADDRESS)),
  };
}

/** Hardware address in the usual notation. */
export function formatMac(bytes: Buffer | undefined): string {
  return Array.from(bytes ?? [], (byte) => byte.toString(16).padStart(2, "0")).join(":");
}

/** Every IPv4 address of this process's network namespace. */
export function listAddresses(): readonly DeviceAddress[] {
  using netlink = openNetlink(NETLINK_ROUTE);
  const query = Buffer.alloc(8);
  query[0] = AF_INET;
  return netlink.request("list addresses", RTM.GETADDR, NLM_F_DUMP, query).map(({ payload }) => ({
    deviceIndex: cpuOrder.readU32(payload, 4),
    ip: readIp(decodeAttributes(payload.subarray(8)).get(IFA_LOCAL)) ?? "0.0.0.0",
    prefixBits: payload[1] ?? 0,
    scope: SCOPES[payload[3] ?? 0] ?? "other",
  }));
}

const SCOPES: Readonly<Record<number, DeviceAddress["scope"]>> = { 0: "global", 253: "link", 254: "host" };

/**
 * A digest of what decides where packets go: devices that are up, IPv4 addresses, routes. Equal while nothing of it
 * changes, also over a restart of this process.
 */
export function networkDigest(): bigint {
  using netlink = openNetlink(NETLINK_ROUTE);
  const query = Buffer.alloc(12);
  query[0] = AF_INET;
  const routes = netlink.request("list routes", RTM.GETROUTE, NLM_F_DUMP, query);
  const devices = listDevices().filter(({ isUp }) => isUp);
  const hash = createHash("sha256").update(JSON.stringify([devices, listAddresses()]));
  for (const { payload } of routes) hash.update(payload);
  return hash.digest().readBigUInt64BE();
}

/** Asks the kernel for routes; keeps one socket open. */
export interface RouteFinder extends Disposable {
  /**
   * The route that packets to `ip` take now.
   *
   * @returns undefined where there is none.
   * @throws ParasausError `BadRequest` when `ip` is no IPv4 address
   */
  routeTo(ip: string): Route | undefined;
}

/** Opens the way to ask for routes of this process's network namespace. */
export function openRouteFinder(): RouteFinder {
  const netlink = openNetlink(NETLINK_ROUTE);
  return {
    routeTo(ip) {
      const query = encodeRouteQuery(ip);
      const answer = unlessMissing(
        () => netlink.request(`find the route to ${ip}`, RTM.GETROUTE, 0, query),
        [ERRNO.ENETUNREACH, ERRNO.EHOSTUNREACH, ERRNO.EINVAL, ERRNO.EACCES],
      );
      const message = answer?.[0];
      return message === undefined ? undefined : decodeRoute(message);
    },
    [Symbol.dispose]: () => netlink[Symbol.dispose](),
  };
}

/** `struct rtmsg` for one IPv4 destination. */
export function encodeRouteQuery(ip: string): Buffer {
  const address = parseIpv4(ip);
  if (address === undefined)
    throw new ParasausError("BadRequest", `Cannot find a route: "${ip}" is no IPv4 address`);
  const header = Buffer.alloc(12);
  header[0] = AF_INET;
  header[1] = 32;
  const destination = Buffer.alloc(4);
  destination.writeUInt32BE(address);
  return Buffer.concat([header, encodeAttribute(RTA_DST, destination)]);
}

function decodeRoute({ payload }: NetlinkMessage): Route {
  const attributes = decodeAttributes(payload.subarray(12));
  const device = attributes.get(RTA_OIF);
  const source = readIp(attributes.get(RTA_PREFSRC));
  const gateway = readIp(attributes.get(RTA_GATEWAY));
  return {
    deviceIndex: device === undefined ? 0 : cpuOrder.readU32(device, 0),
    isLocal: payload[7] === RTN_LOCAL,
    ...(source === undefined ? {} : { source }),
    ...(gateway === undefined ? {} : { gateway }),
  };
}

function readIp(bytes: Buffer | undefined): string | undefined {
  return bytes?.length === 4 ? formatIpv4(bytes.readUInt32BE()) : undefined;
}
