import { familyOfIp, type IpFamily } from "../../foundation/index.ts";
import {
  type IpvsCommand,
  type IpvsDaemon,
  type IpvsDestination,
  type IpvsDestinationSettings,
  type IpvsFailure,
  type IpvsServiceEntry,
  type IpvsServiceKey,
  type IpvsServiceSettings,
  ipvsServiceName,
  openIpvs,
  readIpvsListing,
} from "../../linux/index.ts";
import { type ConnectAddress, SCHEDULER_NAMES, type SchedulerName } from "../../model/index.ts";
import { placeKey } from "../order.ts";
import type { Command } from "./commands.ts";
import { isRange, markOf } from "./ranges.ts";
import type { Destination, ForwardingMethod, Service } from "./services.ts";
import type { CommandFailure, ServiceTable, SyncDaemon, TableDestination, TableService } from "./table.ts";

/** What a scheduler's own flags mean to `sh` and `mh`: look on when the member of the hash takes no new flows. */
const FALLBACK = { sched1: true, sched2: false, sched3: false };
/** `mh` goes by the client's port too, as the eBPF driver does. */
const FALLBACK_AND_PORT = { sched1: true, sched2: true, sched3: false };
const NO_FLAGS = { sched1: false, sched2: false, sched3: false };

/** Schedulers that have flags of their own. */
const SCHEDULER_FLAGS: Readonly<Partial<Record<SchedulerName | "other", typeof NO_FLAGS>>> = {
  sh: FALLBACK,
  mh: FALLBACK_AND_PORT,
};

/** By family, bits of an address. */
const WHOLE_ADDRESS: Readonly<Record<IpFamily, number>> = { 4: 32, 6: 128 };

/** Errors that say that what was to be deleted is gone already. */
const GONE: readonly string[] = ["ENOENT", "ESRCH"];

/**
 * The table of this process's network namespace.
 *
 * @throws ParasausError `KernelUnsupported` without IPVS
 */
export function openKernelTable(): ServiceTable {
  const ipvs = openIpvs();
  return {
    read(rangeAt) {
      const services = new Map<string, TableService>();
      const others: string[] = [];
      for (const entry of ipvs.dump()) {
        const { key } = entry.service;
        const address = key.kind === "mark" ? rangeAt(key.family, key.mark) : addressOf(key);
        if (address) services.set(placeKey(address), decodeEntry(entry, address));
        else others.push(ipvsServiceName(key));
      }
      return { services, others };
    },
    readService(address) {
      const key = encodeKey(address);
      const service = ipvs.service(key);
      return service && decodeEntry({ service, destinations: ipvs.destinations(key) }, address);
    },
    readDestinations: (address) =>
      ipvs.destinations(encodeKey(address)).map((each) => decodeDestination(each, address)),
    execute: (commands) => {
      const failures = ipvs.execute(commands.map(encodeCommand));
      return failures.flatMap((failure) => failureOf(commands[failure.index], failure) ?? []);
    },
    listing: readIpvsListing,
    get writeCount() {
      return ipvs.writeCount;
    },
    get askCount() {
      return ipvs.askCount;
    },
    readTimeouts() {
      const { tcpSeconds, tcpFinSeconds, udpSeconds } = ipvs.timeouts();
      return { establishedSeconds: tcpSeconds, closingSeconds: tcpFinSeconds, datagramSeconds: udpSeconds };
    },
    writeTimeouts({ establishedSeconds, closingSeconds, datagramSeconds }) {
      ipvs.setTimeouts({
        tcpSeconds: establishedSeconds,
        tcpFinSeconds: closingSeconds,
        udpSeconds: datagramSeconds,
      });
    },
    readDaemons: () => ipvs.daemons().map(decodeDaemon),
    startDaemon: ({ state, device, id, group, port, ttl }) =>
      ipvs.startDaemon({
        state,
        interface: device,
        syncId: id,
        multicastGroup: group,
        multicastPort: port,
        multicastTtl: ttl,
      }),
    stopDaemon: (state) => ipvs.stopDaemon(state),
    [Symbol.dispose]: () => ipvs[Symbol.dispose](),
  };
}

/** Kernels before 4.3 tell neither group nor port: they have these. */
function decodeDaemon({ state, interface: device, syncId, ...rest }: IpvsDaemon): SyncDaemon {
  const { multicastGroup: group = "224.0.0.81", multicastPort: port = 8848, multicastTtl: ttl = 1 } = rest;
  return { state, device, id: syncId, group, port, ttl };
}

function failureOf(
  command: Command | undefined,
  { errno, message }: IpvsFailure,
): CommandFailure | undefined {
  if (!command) return undefined;
  if (GONE.includes(errno) && command.kind.startsWith("delete-")) return undefined;
  if (errno === "ENOENT" && "service" in command) {
    const remedy = `load it: modprobe ip_vs_${command.service.scheduler}`;
    return { command, code: "KernelUnsupported", message: `${message}; ${remedy}` };
  }
  const code = errno === "ENOMEM" ? "CapacityExceeded" : "KernelError";
  return { command, code, message };
}

function encodeCommand(command: Command): IpvsCommand {
  const key = encodeKey(command.address);
  switch (command.kind) {
    case "add-service":
    case "edit-service":
      return { kind: command.kind, service: encodeService(key, command.service) };
    case "delete-service":
      return { kind: command.kind, key };
    default:
      return {
        kind: command.kind,
        service: key,
        destination: encodeDestination(command.destination, command.address),
      };
  }
}

function encodeKey(address: ConnectAddress): IpvsServiceKey {
  const { protocol, ip, port } = address;
  if (isRange(address)) return { kind: "mark", family: familyOf(ip), mark: markOf(address) };
  return { kind: "address", family: familyOf(ip), protocol, ip, port };
}

function familyOf(ip: string): IpFamily {
  return familyOfIp(ip) ?? 4;
}

function encodeService(key: IpvsServiceKey, service: Service): IpvsServiceSettings {
  const {
    scheduler,
    affinitySeconds,
    affinityPrefixLength = WHOLE_ADDRESS[key.family],
    isOnePacket = false,
  } = service;
  const flags = SCHEDULER_FLAGS[scheduler] ?? NO_FLAGS;
  return {
    key,
    scheduler,
    flags: { persistent: affinitySeconds > 0, onePacket: isOnePacket, ...flags },
    persistenceSeconds: affinitySeconds,
    netmask: affinityPrefixLength,
  };
}

function encodeDestination(
  { ip, port, weight, method }: Destination,
  service: ConnectAddress,
): IpvsDestinationSettings {
  return {
    family: familyOf(ip),
    ip,
    port: portThere(port, service),
    ...{ weight, upperThreshold: 0, lowerThreshold: 0 },
    ...encodeMethod(method),
  };
}

function encodeMethod(method: ForwardingMethod): Pick<IpvsDestinationSettings, "forwarding" | "tunnel"> {
  // One of another kind is somebody else's: it is only ever deleted, by its address.
  if (method === "other") return { forwarding: "masq" };
  const [word, port] = method.split(" ");
  if (word !== "gue") return { forwarding: method as "masq" | "route" | "tunnel" };
  return { forwarding: "tunnel", tunnel: { type: "gue", port: Number(port), checksum: "outer" } };
}

/**
 * A destination's port of ours in the kernel, and the other way round. With a range members are on its first port, where
 * the kernel has 0: they get the port that the client asked for. One that is really on the first port is somebody else's.
 */
function portThere(port: number, service: ConnectAddress): number {
  if (!isRange(service)) return port;
  if (port === service.port) return 0;
  return port === 0 ? service.port : port;
}

function addressOf({ ip, port, protocol }: IpvsServiceKey & { kind: "address" }): ConnectAddress {
  return { ip, port, protocol };
}

function decodeEntry({ service, destinations }: IpvsServiceEntry, address: ConnectAddress): TableService {
  const { flags, persistenceSeconds, netmask } = service;
  const isSticky = flags.persistent;
  return {
    address,
    scheduler: schedulerOf(service),
    affinitySeconds: isSticky ? persistenceSeconds : 0,
    ...(isSticky && netmask !== WHOLE_ADDRESS[service.key.family] ? { affinityPrefixLength: netmask } : {}),
    ...(flags.onePacket ? { isOnePacket: true } : {}),
    destinations: new Map(
      destinations
        .map((each) => decodeDestination(each, address))
        .map((each) => [placeKey({ ip: each.ip, port: each.port }), each]),
    ),
  };
}

function schedulerOf({ scheduler, flags }: IpvsServiceSettings): SchedulerName | "other" {
  const name = SCHEDULER_NAMES.find((each) => each === scheduler);
  if (name === undefined) return "other";
  const wanted = SCHEDULER_FLAGS[name] ?? NO_FLAGS;
  const isSame =
    flags.sched1 === wanted.sched1 && flags.sched2 === wanted.sched2 && flags.sched3 === wanted.sched3;
  return isSame ? name : "other";
}

function methodOf({ forwarding, tunnel }: IpvsDestination): ForwardingMethod {
  if (forwarding === "masq" || forwarding === "route") return forwarding;
  if (forwarding !== "tunnel" || !tunnel) return "other";
  if (tunnel.type === "gue" && tunnel.checksum === "outer") return `gue ${tunnel.port}`;
  return tunnel.type === "ipip" ? "tunnel" : "other";
}

function decodeDestination(destination: IpvsDestination, service: ConnectAddress): TableDestination {
  const { ip, weight, activeConnections, inactiveConnections, stats } = destination;
  const method = methodOf(destination);
  return {
    ip,
    port: portThere(destination.port, service),
    weight,
    method,
    activeConnections,
    inactiveConnections,
    totalConnections: Number(stats.connections),
    packetsIn: Number(stats.inPackets),
    bytesIn: Number(stats.inBytes),
    packetsOut: Number(stats.outPackets),
    bytesOut: Number(stats.outBytes),
  };
}
