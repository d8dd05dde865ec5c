import { ERRNO, errnoMeaning, errnoName } from "../kernel-error.ts";
import { ipvsDestinationName, ipvsServiceName } from "./names.ts";
import type { IpvsCommand, IpvsFailure, IpvsServiceSettings } from "./types.ts";

/**
 * Says what was refused and why.
 *
 * @param errno Positive errno value.
 * @param words What is known besides; empty = nothing.
 */
export function describeFailure(index: number, command: IpvsCommand, errno: number, words = ""): IpvsFailure {
  const cause = words || causeOf(command, errno) || errnoMeaning(errno) || "the kernel refused it";
  return {
    index,
    errno: errnoName(errno),
    message: `Cannot ${actionOf(command)}: ${cause} (${errnoName(errno)})`,
  };
}

function actionOf(command: IpvsCommand): string {
  const verb = command.kind.slice(0, command.kind.indexOf("-"));
  if ("key" in command) return `${verb} service ${ipvsServiceName(command.key)}`;
  if (!("destination" in command)) return `${verb} service ${ipvsServiceName(command.service.key)}`;
  const destination = ipvsDestinationName(command.destination);
  return `${verb} destination ${destination} of service ${ipvsServiceName(command.service)}`;
}

/** What an errno value means for this command (ip_vs_genl_set_cmd in net/netfilter/ipvs/ip_vs_ctl.c). */
function causeOf(command: IpvsCommand, errno: number): string | undefined {
  switch (errno) {
    case ERRNO.EEXIST:
      return "it exists already";
    case ERRNO.ESRCH:
      return "there is no such service";
    case ERRNO.ENOENT:
      return missingObject(command);
    case ERRNO.ERANGE:
      return "the lower threshold is above the upper one, or a value is out of its range";
    case ERRNO.EAFNOSUPPORT:
      return "this kernel's IPVS was built without IPv6";
    default:
      return undefined;
  }
}

function missingObject(command: IpvsCommand): string | undefined {
  if ("destination" in command) return "the service has no such destination";
  return "key" in command ? undefined : missingModule(command.service);
}

function missingModule({ scheduler, persistenceEngine }: IpvsServiceSettings): string {
  const engine = persistenceEngine === undefined ? "" : `, or no persistence engine "${persistenceEngine}"`;
  return `the kernel has no scheduler "${scheduler}" (module ip_vs_${scheduler})${engine}`;
}
