import { ensureBpfFs, openResetSender } from "../../linux/index.ts";
import type { Driver, DriverCapabilities, OperationFailure, PoolOperation } from "../driver.ts";
import { createQueue, kernelNowMs } from "../kernel-driver.ts";
import { siftOperations } from "../refuse.ts";
import { adoptRows } from "./adopt.ts";
import { type ApplyContext, applyOperation } from "./apply.ts";
import { attachCgroup, attachDevices, cgroupFolderFor } from "./attachments.ts";
import { readCounters } from "./counters.ts";
import { explainFlow, listFlows } from "./explain.ts";
import { followNetwork } from "./follow-network.ts";
import { createKernel } from "./kernel.ts";
import { createMaintenance } from "./maintenance.ts";
import { createMirror } from "./mirror.ts";
import { observePools } from "./observe.ts";
import { DEFAULT_CAPACITIES, DEFAULT_TIMEOUTS, type EbpfDriverOptions, type OtherDriver } from "./options.ts";
import { pinFolderFor } from "./pin-folder.ts";
import { openPrograms, removeOtherPrograms } from "./programs.ts";
import {
  enableForwarding,
  raiseRouteEpoch,
  writeNodeAddresses,
  writeOtherDriver,
  writeSettings,
} from "./settings.ts";
import { pause, readSnapshot } from "./snapshot.ts";
import { createSourceFinder } from "./sources.ts";

/** A driver that another one may follow. */
export interface EbpfDriver extends Driver {
  /** Says what another driver of this node is to have from now on; it stays so until it is said again. */
  besides(other: OtherDriver): void;
}

/** How long changes are applied without letting anything else run. */
const SLICE_MS = 10;

const CAPABILITIES: DriverCapabilities = {
  forwarding: ["fullnat", "nat"],
  schedulers: ["rr", "wrr", "lc", "wlc", "sh", "mh"],
  protocols: ["TCP", "UDP"],
  families: [4],
  affinityByPrefix: false,
  onePacket: false,
  portRanges: false,
  forwards: true,
  changesSchedulerWithoutGap: true,
  countsRefusals: true,
  tellsAffinity: true,
  counterDelayMs: 0,
};

/**
 * Opens the driver that forwards with eBPF programs. What an earlier one left in the kernel is adopted: the same
 * object file is not loaded again, and nothing is written that is right already. Disposing it leaves everything
 * forwarding; `uninstallEbpf` takes it away.
 *
 * @throws ParasausError `KernelUnsupported` when libbpf, bpffs, cgroup2 or a kernel feature is missing; `KernelError`;
 *   `Usage` when fullnat's source ports are those of the node's own connections
 */
export async function openEbpfDriver(options: EbpfDriverOptions): Promise<EbpfDriver> {
  const { logger } = options;
  ensureBpfFs();
  const pinFolder = pinFolderFor(options);
  const timeouts = { ...DEFAULT_TIMEOUTS, ...options.timeouts };
  const capacities = { ...DEFAULT_CAPACITIES, ...options.capacities };
  const opening = { objectFile: options.objectFile, pinFolder, capacities, logger };
  const { maps, programs, isAdopted } = openPrograms(opening);
  const kernel = createKernel(maps, programs);
  enableForwarding(logger);
  writeSettings(kernel, options, timeouts);
  const clients = options.localClients ?? "host";
  attachCgroup(cgroupFolderFor(clients, options.cgroupRoot), programs, pinFolder);
  logger.info(isAdopted ? "programs adopted" : "programs loaded", { pins: pinFolder });

  const sources = createSourceFinder();
  const resets = openResetSender();
  const mirror = createMirror(kernel, kernelNowMs);
  const context: ApplyContext = { kernel, mirror, sources, nowMs: kernelNowMs };
  const maintenance = createMaintenance({
    ...context,
    timeouts,
    resets,
    logger,
    seesAllClients: clients === "host" || clients === "off",
  });
  const closing = new AbortController();
  const following = followNetwork(context, options, programs, closing.signal);
  // Once changes are followed, so that nothing falls in between.
  raiseRouteEpoch(kernel, false);
  attachDevices(options, programs);
  removeOtherPrograms(opening);
  const inTurn = createQueue();
  let isKnown = false;

  const driver: EbpfDriver = {
    name: "ebpf",
    capabilities: CAPABILITIES,
    nowMs: kernelNowMs,
    observe: () => inTurn(observe),
    apply: (operations) => inTurn(() => apply(operations)),
    readCounters: async (poolUids) => {
      await inTurn(learn);
      return readCounters(kernel, mirror, { poolUids, lastSize: maintenance.size() });
    },
    explain: async (flow) => explainFlow(kernel, flow, kernelNowMs()),
    listFlows: async (poolUid, limitCount) => {
      await inTurn(learn);
      const record = mirror.pools.get(poolUid.toLowerCase());
      return record ? listFlows(kernel, record.index, limitCount, kernelNowMs()) : [];
    },
    maintain: singleFlight(async () => {
      await inTurn(learn);
      return maintenance.run();
    }),
    setNodeAddresses: async (addresses) => writeNodeAddresses(kernel, addresses),
    standAlone: () => writeOtherDriver(kernel, "none"),
    besides: (other) => writeOtherDriver(kernel, other),
    [Symbol.asyncDispose]: async () => {
      closing.abort();
      await following;
      await inTurn(async () => undefined);
      sources[Symbol.dispose]();
      resets[Symbol.dispose]();
      for (const open of [...maps.values(), ...programs.values()]) open.close();
    },
  };
  return driver;

  /** Reads the tables once after the start. */
  async function learn(): Promise<void> {
    if (!isKnown) await observe();
  }

  async function observe() {
    const { changeCount } = mirror;
    const snapshot = await readSnapshot(kernel);
    if (mirror.changeCount === changeCount) adoptRows(mirror, snapshot);
    isKnown = true;
    return observePools(mirror, snapshot);
  }

  async function apply(operations: readonly PoolOperation[]): Promise<readonly OperationFailure[]> {
    await learn();
    const { accepted, refusals } = siftOperations({ name: "ebpf", capabilities: CAPABILITIES }, operations);
    const failures: OperationFailure[] = [...refusals];
    let sliceStartMs = kernelNowMs();
    for (const operation of accepted) {
      const failure = applyOperation(context, operation);
      if (failure) failures.push(failure);
      if (kernelNowMs() - sliceStartMs < SLICE_MS) continue;
      await pause();
      sliceStartMs = kernelNowMs();
    }
    return failures;
  }
}

/** Callers that come while a run is under way get its result. */
function singleFlight<Result>(task: () => Promise<Result>): () => Promise<Result> {
  let running: Promise<Result> | undefined;
  return () => {
    running ??= task().finally(() => {
      running = undefined;
    });
    return running;
  };
}
