import path from "node:path";
import type { Configuration } from "../../configuration/index.ts";
import type { EbpfTimeouts } from "../../dataplane/ebpf/index.ts";
import type { Driver } from "../../dataplane/index.ts";
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
}

/**
 * Opens the driver that the configuration asks for; with `auto` eBPF, else IPVS.
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
  if (configuration.driver === "auto") {
    return openFirst([() => openEbpf(surroundings), () => openIpvs(surroundings)]);
  }
  const driver = await (configuration.driver === "ipvs" ? openIpvs(surroundings) : openEbpf(surroundings));
  return { driver };
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

async function openEbpf({ configuration, programFile, log, clock }: DriverSurroundings): Promise<Driver> {
  const { openEbpfDriver } = await import("../../dataplane/ebpf/index.ts");
  return openEbpfDriver({
    ...ebpfOptions(configuration),
    objectFile: ebpfObjectFile(programFile),
    logger: log,
    clock,
  });
}

async function openIpvs({ configuration, log }: DriverSurroundings): Promise<Driver> {
  const { openIpvsDriver } = await import("../../dataplane/ipvs/index.ts");
  const { established, closing, udp } = configuration.flowTimeouts;
  return openIpvsDriver({
    node: configuration.nodeName,
    timeouts: {
      ...(established === undefined ? {} : { establishedSeconds: established }),
      ...(closing === undefined ? {} : { closingSeconds: closing }),
      ...(udp === undefined ? {} : { datagramSeconds: udp }),
    },
    ...(configuration.ipvsSync === undefined ? {} : { sync: configuration.ipvsSync }),
    logger: log,
  });
}

/** Where the build puts the eBPF programs: `bpf/build/` beside `dist/`. */
export function ebpfObjectFile(programFile: string): string {
  return path.resolve(path.dirname(programFile), "../bpf/build/parasaus.bpf.o");
}

function ebpfOptions(configuration: Configuration) {
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
