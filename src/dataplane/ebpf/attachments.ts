import { createHash } from "node:crypto";
import { closeSync, mkdirSync, readdirSync, rmSync, statSync } from "node:fs";
import { type Logger, ParasausError } from "../../foundation/index.ts";
import {
  attachTcFilter,
  attachToCgroup,
  type BpfProgram,
  detachTcFilter,
  findCgroup2Root,
  listDevices,
  type NetworkDevice,
  openPinnedLink,
  pinObject,
  queryTcFilter,
  replaceLinkProgram,
  type TcDirection,
  type TcPlace,
} from "../../linux/index.ts";
import type { EbpfDriverOptions, LocalClients } from "./options.ts";
import { CGROUP_ATTACH_TYPES } from "./programs.ts";

/** Ours alone: foreign filters have their own priorities and handles. */
const PRIORITY = 4242;
const HANDLE = 0x70617261;
const TC_PROGRAMS: Readonly<Record<TcDirection, string>> = { ingress: "tc_ingress", egress: "tc_egress" };

/** Whether traffic of a device is looked at. */
export function isWantedDevice(device: NetworkDevice, wanted: EbpfDriverOptions["devices"]): boolean {
  if (device.isLoopback || !device.isEthernet) return false;
  return wanted === undefined || wanted === "auto" || wanted.includes(device.name);
}

/** Puts the programs on a device; those that are there already stay untouched. */
export function attachDevice(
  device: NetworkDevice,
  programs: ReadonlyMap<string, BpfProgram>,
  logger: Logger,
): void {
  for (const direction of ["ingress", "egress"] as const) {
    const program = programs.get(TC_PROGRAMS[direction]);
    if (program === undefined) continue;
    const place = placeOf(device.index, direction);
    if (queryTcFilter(place) === program.idNumber) continue;
    if (attachTcFilter(place, program)) logger.info("device attached", { device: device.name, direction });
  }
}

/** Takes our filters off a device. */
export function detachDevice(device: NetworkDevice): void {
  for (const direction of ["ingress", "egress"] as const) detachTcFilter(placeOf(device.index, direction));
}

function placeOf(deviceIndex: number, direction: TcDirection): TcPlace {
  return { deviceIndex, direction, priority: PRIORITY, handle: HANDLE };
}

/** Attaches the devices that are there now and takes our filters off those that are not wanted any more. */
export function attachDevices(
  options: Pick<EbpfDriverOptions, "devices" | "logger">,
  programs: ReadonlyMap<string, BpfProgram>,
): void {
  const devices = listDevices();
  for (const device of devices) {
    if (isWantedDevice(device, options.devices)) attachDevice(device, programs, options.logger);
    else if (device.isEthernet && !device.isLoopback) detachDevice(device);
  }
  if (options.devices === undefined || options.devices === "auto") return;
  const missing = options.devices.filter((name) => !devices.some((device) => device.name === name));
  if (missing.length > 0) options.logger.warn("devices are missing", { devices: missing });
}

/** The cgroup whose programs are served; undefined when none is. */
export function cgroupFolderFor(clients: LocalClients, root: string | undefined): string | undefined {
  if (clients === "off") return undefined;
  const mounted = root ?? findCgroup2Root();
  if (mounted === undefined) {
    throw new ParasausError(
      "KernelUnsupported",
      "Cannot serve clients on this node: cgroup2 is not mounted; mount it, or set --local-clients off",
    );
  }
  return typeof clients === "string" ? mounted : clients.cgroup;
}

/** Attaches the programs for clients on this node to a cgroup; links of other cgroups are removed. */
export function attachCgroup(
  folder: string | undefined,
  programs: ReadonlyMap<string, BpfProgram>,
  pinFolder: string,
): void {
  const linkFolder = `${pinFolder}/links`;
  mkdirSync(linkFolder, { recursive: true, mode: 0o700 });
  const wanted = folder === undefined ? new Map<string, string>() : linkNames(folder, programs);
  for (const name of readdirSync(linkFolder)) if (!wanted.has(name)) rmSync(`${linkFolder}/${name}`);
  for (const [name, functionName] of wanted) {
    const program = programs.get(functionName);
    if (folder !== undefined && program) attachLink(`${linkFolder}/${name}`, folder, program, functionName);
  }
}

/** Pin names carry the cgroup, because a link cannot be moved to another. */
function linkNames(folder: string, programs: ReadonlyMap<string, BpfProgram>): ReadonlyMap<string, string> {
  const suffix = createHash("sha256").update(folder).digest("hex").slice(0, 12);
  const names = Object.keys(CGROUP_ATTACH_TYPES).filter((name) => programs.has(name));
  return new Map(names.map((name) => [`${name}-${suffix}`, name]));
}

function attachLink(path: string, folder: string, program: BpfProgram, functionName: string): void {
  const link = openPinnedLink(path);
  try {
    if (link?.cgroupInode === statSync(folder, { bigint: true }).ino) {
      if (link.programIdNumber !== program.idNumber) replaceLinkProgram(link, program);
      return;
    }
  } finally {
    link?.close();
  }
  // A link dies with its cgroup, and one made later under the same name is another.
  rmSync(path, { force: true });
  const fd = attachToCgroup(program, folder, CGROUP_ATTACH_TYPES[functionName] ?? 0);
  try {
    pinObject(fd, path);
  } finally {
    closeSync(fd);
  }
}
