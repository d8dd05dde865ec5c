import { canonicalIpv6, familyOfIp, ParasausError, parseIpv4 } from "../../foundation/index.ts";
import { PROTOCOLS } from "../../model/index.ts";
import { parsePrefixLength } from "./prefix-length.ts";
import type { AdoptedForwarding, AdoptedMember, VirtualServer, Warn } from "./virtual-server.ts";

/** Options by every name that they have; true = a value follows. */
const OPTIONS: Readonly<Record<string, readonly [name: string, takesValue: boolean]>> = {
  "-A": ["add-service", false],
  "--add-service": ["add-service", false],
  "-a": ["add-server", false],
  "--add-server": ["add-server", false],
  "-t": ["TCP", true],
  "--tcp-service": ["TCP", true],
  "-u": ["UDP", true],
  "--udp-service": ["UDP", true],
  "--sctp-service": ["SCTP", true],
  "-f": ["mark", true],
  "--fwmark-service": ["mark", true],
  "-s": ["scheduler", true],
  "--scheduler": ["scheduler", true],
  "-p": ["persistent", true],
  "--persistent": ["persistent", true],
  "-r": ["server", true],
  "--real-server": ["server", true],
  "-w": ["weight", true],
  "--weight": ["weight", true],
  "-m": ["nat", false],
  "--masquerading": ["nat", false],
  "-g": ["dsr", false],
  "--gatewaying": ["dsr", false],
  "-i": ["tunnel", false],
  "--ipip": ["tunnel", false],
  "-6": ["ipv6", false],
  "--ipv6": ["ipv6", false],
  "-M": ["netmask", true],
  "--netmask": ["netmask", true],
  "-b": ["scheduler flags -b", true],
  "--sched-flags": ["scheduler flags -b", true],
  "-o": ["one packet", false],
  "--ops": ["one packet", false],
  "--pe": ["persistence engine --pe", true],
  "-x": ["upper threshold -x", true],
  "--u-threshold": ["upper threshold -x", true],
  "-y": ["lower threshold -y", true],
  "--l-threshold": ["lower threshold -y", true],
  "--tun-type": ["--tun-type", true],
  "--tun-port": ["--tun-port", true],
  "--tun-nocsum": ["--tun-nocsum", false],
  "--tun-csum": ["--tun-csum", false],
  "--tun-remcsum": ["--tun-remcsum", false],
};

/** Those that a pool can say; every other one is warned about. */
const TRANSLATED = new Set([
  ...["add-service", "add-server", "TCP", "UDP", "SCTP", "mark", "scheduler", "persistent"],
  ...["netmask", "one packet", "server", "weight", "nat", "dsr", "tunnel", "ipv6"],
]);
/** What they say of themselves where nobody asked for anything. */
const SAYS_NOTHING = new Set(["--tun-type ipip", "--tun-nocsum"]);

interface Address {
  readonly ip: string;
  readonly port: number;
}
/** By their address; undefined = one that no pool can be. */
type Services = Map<string, VirtualServer | undefined>;
/** One line. */
type Options = ReadonlyMap<string, string>;

/**
 * Reads what `ipvsadm -Sn` prints. Pure.
 *
 * @throws ParasausError `BadRequest` where a line is none of it
 */
export function readIpvsadm(text: string, warn: Warn): readonly VirtualServer[] {
  const services: Services = new Map();
  for (const [index, line] of text.split("\n").entries()) {
    const words = line.replace(/#.*/, "").trim().split(/\s+/).filter(Boolean);
    if (words[0] === "ipvsadm") words.shift();
    if (words.length === 0) continue;
    readLine(services, words, `line ${index + 1}`, warn);
  }
  return [...services.values()].filter((service) => service !== undefined);
}

function readLine(services: Services, words: readonly string[], where: string, warn: Warn): void {
  const options = readOptions(words, where);
  const key = `${titleOf(options)}${options.has("ipv6") ? " -6" : ""}`;
  const isNew = options.has("add-service");
  if (isNew === services.has(key)) {
    const found = isNew ? "its service was added before" : "its service was not added before";
    throw new ParasausError("BadRequest", `Cannot read ${where}: ${found}`);
  }
  if (isNew) services.set(key, readService(options, where, warn));
  else addMember(services, key, options, where, warn);
}

function readOptions(words: readonly string[], where: string): Options {
  const options = new Map<string, string>();
  const rest = [...words];
  for (let word = rest.shift(); word !== undefined; word = rest.shift()) {
    const option = OPTIONS[word];
    if (!option) {
      throw new ParasausError("BadRequest", `Cannot read ${where}: ipvsadm -Sn prints no "${word}"`);
    }
    const [name, takesValue] = option;
    const value = takesValue ? rest.shift() : "";
    if (value === undefined) {
      throw new ParasausError("BadRequest", `Cannot read ${where}: nothing follows "${word}"`);
    }
    options.set(name, value);
  }
  return options;
}

function warnAboutRest(options: Options, where: string, warn: Warn): void {
  for (const [name, value] of options) {
    const words = `${name} ${value}`.trim();
    if (!TRANSLATED.has(name) && !SAYS_NOTHING.has(words)) warn(where, `${words} has no counterpart`);
  }
}

/** @returns undefined for a service that no pool can be; then its members are passed over. */
function readService(options: Options, where: string, warn: Warn): VirtualServer | undefined {
  const protocol = PROTOCOLS.find((each) => options.has(each));
  const address = readAddress(options.get(protocol ?? "") ?? "0.0.0.0:0", where);
  const obstacle = obstacleTo(options, address);
  if (obstacle !== undefined || protocol === undefined) {
    warn(where, `the service ${titleOf(options)} is left out: ${obstacle}`);
    return undefined;
  }
  warnAboutRest(options, where, warn);
  const isOnePacket = options.has("one packet");
  if (isOnePacket && protocol !== "UDP") warn(where, "one-packet scheduling -o does nothing without UDP");
  const persistent = options.get("persistent");
  return {
    where,
    protocol,
    ...address,
    scheduler: options.get("scheduler") ?? "wlc",
    ...(persistent === undefined ? {} : { affinitySeconds: numberOf(persistent, where) }),
    ...readNetmask(options.get("netmask"), address, where),
    ...(isOnePacket && protocol === "UDP" ? { isOnePacket: true } : {}),
    // They serve already: they go on until the first probe says otherwise.
    healthCheck: { initialState: "up" },
    members: [],
  };
}

function readNetmask(
  netmask: string | undefined,
  { ip }: Address,
  where: string,
): Pick<VirtualServer, "affinityPrefixLength"> {
  if (netmask === undefined) return {};
  const affinityPrefixLength = parsePrefixLength(netmask, familyOfIp(ip) ?? 4);
  if (affinityPrefixLength !== undefined) return { affinityPrefixLength };
  throw new ParasausError("BadRequest", `Cannot read ${where}: "${netmask}" is no netmask`);
}

function obstacleTo(options: Options, address: Address): string | undefined {
  if (options.has("mark")) return "a pool has an address";
  return address.port === 0 ? "a pool has one port" : undefined;
}

function titleOf(options: Options): string {
  const [name, value] = [...options].find(([each]) => ["TCP", "UDP", "SCTP", "mark"].includes(each)) ?? [
    "",
    "",
  ];
  return `${name} ${value}`;
}

function addMember(services: Services, key: string, options: Options, where: string, warn: Warn): void {
  const service = services.get(key);
  if (!service) return;
  const address = readAddress(options.get("server") ?? "", where);
  const family = familyOfIp(service.ip);
  if (familyOfIp(address.ip) !== family) {
    warn(where, `the real server ${options.get("server")} is left out: the pool's family is IPv${family}`);
    return;
  }
  warnAboutRest(options, where, warn);
  const forwarding: AdoptedForwarding = options.has("nat") ? "nat" : options.has("tunnel") ? "tunnel" : "dsr";
  const member: AdoptedMember = {
    where,
    ...address,
    port: address.port || service.port,
    weight: numberOf(options.get("weight") ?? "1", where),
    forwarding,
  };
  services.set(key, { ...service, members: [...service.members, member] });
}

function readAddress(text: string, where: string): Address {
  const match = /^(?:\[(?<ipv6>[^\]]+)\]|(?<ip>[^:]+))(?::(?<port>\d+))?$/.exec(text);
  const { ipv6 = "", ip = "", port = "0" } = match?.groups ?? {};
  const canonical = canonicalIpv6(ipv6);
  if (canonical && Number(port) <= 65_535) return { ip: canonical, port: Number(port) };
  if (parseIpv4(ip) === undefined || Number(port) > 65_535) {
    throw new ParasausError(
      "BadRequest",
      `Cannot read ${where}: "${text}" is no address with a port; have it printed in numbers: ipvsadm -Sn`,
    );
  }
  return { ip, port: Number(port) };
}

function numberOf(text: string, where: string): number {
  if (!/^\d{1,10}$/.test(text))
    throw new ParasausError("BadRequest", `Cannot read ${where}: "${text}" is no number`);
  return Number(text);
}
