import path from "node:path";
import type { Configuration } from "../../configuration/index.ts";
import type { EbpfDriverOptions, EbpfTimeouts } from "../../dataplane/ebpf/index.ts";
import type { Driver, Predecessor } from "../../dataplane/index.ts";
import type { IpvsDriverOptions } from "../../dataplane/ipvs/index.ts";
import { type Clock, hasCode, type Logger, ParasausError } from "../../foundation/index.ts";
import { missingRights } from "./missing-rights.ts";

/** What a driver is opened with. */
export interface DriverSurroundings {
  readonly configuration: Configuration;
  /** The built program, beside which the eBPF programs are. */
  readonly programFile: string;
  readonly log: Logger;
  readonly clock: Clock;
}

/** A driver that is open. */
export interface OpenedDriver {
  readonly driver: Driver;
  /** Why it is not the one that would have been preferred; absent when it is. */
  readonly fallback?: string;
  /** The driver that forwarded before, where something of it is left. */
  readonly predecessor?: Predecessor;
}

/**
 * Opens the driver that the configuration asks for; with `auto` eBPF, else IPVS. What the other one left on this node is
 * opened too.
 *
 * @throws ParasausError `KernelUnsupported` that says what forwarding lacks on this machine
 */
export async function openDriver(surroundings: DriverSurroundings): Promise<OpenedDriver> {
  const { configuration, clock } = surroundings;
  if (configuration.driver === "memory") {
    const { MemoryKernel, openMemoryDriver } = await import("../../dataplane/memory/index.ts");
    return { driver: openMemoryDriver(new MemoryKernel({ clock })) };
  }
  const lacking = missingRights();
  if (lacking !== undefined) throw new ParasausError("KernelUnsupported", `Cannot forward: ${lacking}`);
  const opened = await openChosen(surroundings);
  const predecessor = await openPredecessor(opened.driver, surroundings);
  return predecessor === undefined ? opened : { ...opened, predecessor };
}

async function openChosen(surroundings: DriverSurroundings): Promise<OpenedDriver> {
  const { driver } = surroundings.configuration;
  if (driver === "ipvs") return { driver: await openIpvs(surroundings) };
  if (driver === "ebpf") return { driver: await openEbpf(surroundings) };
  return openFirst([() => openEbpf(surroundings), () => openIpvs(surroundings)]);
}

/**
 * Opens the first driver that the kernel can do; what it cannot do is no reason to stop.
 *
 * @throws ParasausError `KernelUnsupported` with the reasons of all
 */
export async function openFirst(drivers: readonly (() => Promise<Driver>)[]): Promise<OpenedDriver> {
  const reasons: string[] = [];
  for (const open of drivers) {
    try {
      const driver = await open();
      return reasons.length === 0 ? { driver } : { driver, fallback: reasons.join("; ") };
    } catch (failure) {
      if (!hasCode(failure, "KernelUnsupported")) throw failure;
      reasons.push(failure.message);
    }
  }
  throw new ParasausError("KernelUnsupported", reasons.join("; "));
}

async function openEbpf(surroundings: DriverSurroundings): Promise<Driver> {
  const { openEbpfDriver } = await import("../../dataplane/ebpf/index.ts");
  const { isIpvsInstalled } = await import("../../dataplane/ipvs/index.ts");
  const otherDriver = isIpvsInstalled(ipvsOptions(surroundings)) ? "drains" : "none";
  return openEbpfDriver({ ...ebpfOptions(surroundings), otherDriver });
}

async function openIpvs(surroundings: DriverSurroundings): Promise<Driver> {
  const { openIpvsDriver } = await import("../../dataplane/ipvs/index.ts");
  return openIpvsDriver(ipvsOptions(surroundings));
}

/**
 * Opens what the driver that does not forward any more left on this node. What cannot be kept is taken out: it would go on
 * taking new flows.
 */
async function openPredecessor(
  successor: Driver,
  surroundings: DriverSurroundings,
): Promise<Predecessor | undefined> {
  const { openEbpfPredecessor, uninstallEbpf } = await import("../../dataplane/ebpf/index.ts");
  const { openIpvsPredecessor, uninstallIpvs } = await import("../../dataplane/ipvs/index.ts");
  const isIpvs = successor.name === "ebpf";
  const [ebpf, ipvs] = [ebpfOptions(surroundings), ipvsOptions(surroundings)];
  const facts = { driver: isIpvs ? "ipvs" : "ebpf" };
  try {
    return await (isIpvs ? openIpvsPredecessor(ipvs) : openEbpfPredecessor(ebpf));
  } catch (error) {
    surroundings.log.error("the driver before cannot be kept, its flows end", { ...facts, error });
  }
  try {
    if (isIpvs) uninstallIpvs(ipvs, true);
    else uninstallEbpf(ebpf);
  } catch (error) {
    surroundings.log.error("the driver before cannot be taken out", { ...facts, error });
  }
  successor.standAlone?.();
  return undefined;
}

/** Where the build puts the eBPF programs: `bpf/build/` beside `dist/`. */
export function ebpfObjectFile(programFile: string): string {
  return path.resolve(path.dirname(programFile), "../bpf/build/parasaus.bpf.o");
}

function ipvsOptions({ configuration, log }: DriverSurroundings): IpvsDriverOptions {
  const { established, closing, udp } = configuration.flowTimeouts;
  return {
    node: configuration.nodeName,
    timeouts: {
      ...(established === undefined ? {} : { establishedSeconds: established }),
      ...(closing === undefined ? {} : { closingSeconds: closing }),
      ...(udp === undefined ? {} : { datagramSeconds: udp }),
    },
    ...(configuration.ipvsSync === undefined ? {} : { sync: configuration.ipvsSync }),
    logger: log,
  };
}

function ebpfOptions({ configuration, programFile, log, clock }: DriverSurroundings): EbpfDriverOptions {
  const { devices, localClients, cgroupRoot, sourceAddresses } = configuration;
  return {
    node: configuration.nodeName,
    devices: devices.includes("auto") ? ("auto" as const) : devices,
    localClients: localClientsOf(localClients),
    ...(cgroupRoot === undefined ? {} : { cgroupRoot }),
    ...(sourceAddresses.length > 0 ? { sourceAddresses } : {}),
    capacities: {
      flowCount: configuration.maxFlows,
      halfOpenCount: configuration.maxHalfOpen,
      slotCount: configuration.maxSlots,
      memberCount: configuration.maxMembers,
      poolCount: configuration.maxPools,
    },
    timeouts: timeoutsOf(configuration.flowTimeouts),
    objectFile: ebpfObjectFile(programFile),
    logger: log,
    clock,
  };
}

/** Those that are named; the driver knows the others. */
function timeoutsOf(seconds: Configuration["flowTimeouts"]): Partial<EbpfTimeouts> {
  const named = {
    establishedMs: seconds.established,
    halfOpenMs: seconds["half-open"],
    closingMs: seconds.closing,
    closedMs: seconds.closed,
    datagramMs: seconds.udp,
  };
  return Object.fromEntries(
    Object.entries(named).flatMap(([name, value]) => (value === undefined ? [] : [[name, value * 1_000]])),
  );
}

function localClientsOf(text: string): "off" | "host" | "pods" | { readonly cgroup: string } {
  return text === "off" || text === "host" || text === "pods" ? text : { cgroup: text };
}
