import { parseIpv4, parseIpv6 } from "../../foundation/index.ts";
import { NAME_CHARACTERS } from "./protocol.ts";
import type {
  IpvsCommand,
  IpvsDestinationKey,
  IpvsDestinationSettings,
  IpvsServiceKey,
  IpvsServiceSettings,
} from "./types.ts";

const PORTS = 0xffff;
const UNSIGNED = 0xffffffff;
const SIGNED = 0x7fffffff;

/** What cannot be written down for the kernel in a command; undefined when nothing. */
export function complaintAboutCommand(command: IpvsCommand): string | undefined {
  switch (command.kind) {
    case "add-service":
    case "edit-service":
      return complaintAboutService(command.service);
    case "delete-service":
      return complaintAboutKey(command.key);
    case "delete-destination":
      return complaintAboutKey(command.service) ?? complaintAboutAddress(command.destination);
    default:
      return complaintAboutKey(command.service) ?? complaintAboutDestination(command.destination);
  }
}

function complaintAboutKey(key: IpvsServiceKey): string | undefined {
  return key.kind === "mark" ? outside("mark", key.mark, 1, UNSIGNED) : complaintAboutAddress(key);
}

function complaintAboutAddress({ family, ip, port }: IpvsDestinationKey): string | undefined {
  const isAddress = (family === 6 ? parseIpv6(ip) : parseIpv4(ip)) !== undefined;
  return isAddress ? outside("port", port, 0, PORTS) : `"${ip}" is no IPv${family} address`;
}

function complaintAboutService(service: IpvsServiceSettings): string | undefined {
  const { key, scheduler, persistenceEngine = "none", persistenceSeconds, netmask } = service;
  return (
    complaintAboutKey(key) ??
    complaintAboutName("scheduler", scheduler) ??
    complaintAboutName("persistence engine", persistenceEngine) ??
    outside("persistence", persistenceSeconds, 0, SIGNED) ??
    outside("netmask", netmask, 1, key.family === 6 ? 128 : 32)
  );
}

function complaintAboutDestination(destination: IpvsDestinationSettings): string | undefined {
  const { weight, upperThreshold, lowerThreshold, tunnel } = destination;
  return (
    complaintAboutAddress(destination) ??
    outside("weight", weight, 0, SIGNED) ??
    outside("upper threshold", upperThreshold, 0, UNSIGNED) ??
    outside("lower threshold", lowerThreshold, 0, UNSIGNED) ??
    (tunnel && outside("tunnel port", tunnel.port, 0, PORTS))
  );
}

function complaintAboutName(what: string, name: string): string | undefined {
  const isName = /^[\x21-\x7e]+$/.test(name) && name.length <= NAME_CHARACTERS;
  return isName
    ? undefined
    : `the name of the ${what} is "${name}", expected 1 to ${NAME_CHARACTERS} characters`;
}

function outside(what: string, value: number, minimum: number, maximum: number): string | undefined {
  if (Number.isInteger(value) && value >= minimum && value <= maximum) return undefined;
  return `the ${what} is ${value}, expected ${minimum} to ${maximum}`;
}
