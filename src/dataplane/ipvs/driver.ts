import { openLocalRoutes, openPortMarks } from "../../linux/index.ts";
import { SCHEDULER_NAMES } from "../../model/index.ts";
import type { Driver, DriverCapabilities, PoolOperation } from "../driver.ts";
import { createQueue, kernelNowMs } from "../kernel-driver.ts";
import { type Sifted, siftOperations } from "../refuse.ts";
import { allowanceFileFor, readAllowance } from "./adoption.ts";
import { CounterReader } from "./counters.ts";
import { explainFlow, listFlows } from "./explain.ts";
import { readFlowTable } from "./flow-table.ts";
import { kernelName } from "./kernel-name.ts";
import { openKernelTable } from "./kernel-table.ts";
import { isMasquerading, openMasquerades, refuseMasquerading, whyNoMasquerading } from "./masquerading.ts";
import { DEFAULT_TIMEOUTS, type IpvsDriverOptions } from "./options.ts";
import { ownTableFor } from "./own-table.ts";
import { Programmer } from "./programmer.ts";
import { openRecord, recordFileFor } from "./record.ts";
import { refuseRanges } from "./refuse-ranges.ts";
import { bringSysctls, bringTimeouts, presentSysctls, TIMEOUTS, wantedSysctls } from "./settings.ts";
import { bringDaemons, wantedDaemons } from "./sync.ts";

/** A driver that also tells how often it wrote. */
export interface IpvsDriver extends Driver {
  /** Messages that changed the kernel's tables, sent since it was opened. */
  writeCount(): number;
  /** Messages that asked the kernel for a part of its table, sent since it was opened. */
  askCount(): number;
}

/** The kernel adds up what its CPUs have counted every two seconds. */
const ESTIMATION_MS = 2_500;

/**
 * Opens the driver that forwards with IPVS, the kernel's own load balancer. What an earlier one left in the kernel is
 * adopted, and nothing is written that is right already. Disposing it leaves everything forwarding; `uninstallIpvs` takes
 * it away. Services that Parasaus did not make are not touched.
 *
 * @throws ParasausError `KernelUnsupported` without IPVS; `KernelError`
 */
export async function openIpvsDriver(options: IpvsDriverOptions): Promise<IpvsDriver> {
  const { logger } = options;
  const table = openKernelTable();
  const kernel = kernelName();
  const record = openRecord(recordFileFor(options), kernel);
  const routes = openLocalRoutes();
  const masquerades = openMasquerades(options);
  const marks = openPortMarks(ownTableFor(options));
  const lacking = whyNoMasquerading(masquerades);
  const lackingMarks = marks.whyNot();
  const programmer = new Programmer({
    ...{ table, record, routes, masquerades, marks, logger, nowMs: kernelNowMs },
    mayTakeOver: () => readAllowance(allowanceFileFor(options), kernel),
  });
  const capabilities = capabilitiesOf(lacking[4] === undefined, lackingMarks === undefined);
  const timeouts = { ...DEFAULT_TIMEOUTS, ...options.timeouts };
  const inTurn = createQueue();
  const counters = new CounterReader(programmer.programme, table, kernelNowMs);
  const daemons = wantedDaemons(options.sync);
  recordOriginal();
  bringSettings(programmer.hasMasquerading);
  let foreignDaemons = bringDaemons(table, record, daemons, logger);

  const driver: IpvsDriver = {
    name: "ipvs",
    capabilities,
    nowMs: kernelNowMs,
    observe: () =>
      inTurn(async () => {
        bringSettings(programmer.hasMasquerading);
        bringSync();
        return programmer.observe();
      }),
    apply: (operations) =>
      inTurn(async () => {
        const { accepted, refusals } = sift(operations);
        // The kernel tracks connections before one of them needs it.
        bringSettings(programmer.hasMasquerading || accepted.some(isMasquerading));
        const failures = await programmer.apply(accepted);
        bringSettings(programmer.hasMasquerading);
        return [...refusals, ...failures];
      }),
    readCounters: (poolUids) => inTurn(async () => counters.read(poolUids)),
    explain: async (flow) => explainFlow(programmer.programme, readFlowTable(), flow, timeouts),
    listFlows: async (poolUid, limitCount) =>
      listFlows(programmer.programme, readFlowTable(), poolUid, limitCount, timeouts),
    maintain: () => inTurn(async () => ({ expiredCount: 0, cutCount: await programmer.endDue() })),
    setNodeAddresses: (addresses) =>
      // The kernel sends nothing on from 127.0.0.1 to another machine.
      inTurn(() => programmer.setNodeAddresses(addresses.filter((ip) => !ip.startsWith("127.")).sort())),
    writeCount: () => [table, ...masquerades, marks].reduce((sum, { writeCount }) => sum + writeCount, 0),
    askCount: () => table.askCount,
    foreignServices: () => [...programmer.foreignServices, ...foreignDaemons],
    [Symbol.asyncDispose]: async () => {
      await inTurn(async () => undefined);
      table[Symbol.dispose]();
      routes[Symbol.dispose]();
      for (const each of masquerades) each[Symbol.dispose]();
      marks[Symbol.dispose]();
    },
  };
  return driver;

  function sift(operations: readonly PoolOperation[]): Sifted {
    const failures = operations.flatMap((each) =>
      [...refuseMasquerading(each, lacking), ...refuseRanges(each, lackingMarks)].slice(0, 1),
    );
    const refused = new Set(failures.map(({ uid }) => uid));
    const rest = operations.filter((each) => each.kind === "remove" || !refused.has(each.pool.uid));
    const { accepted, refusals } = siftOperations({ name: "ipvs", capabilities }, rest);
    return { accepted, refusals: [...failures, ...refusals] };
  }

  /** Sets what has drifted. */
  function bringSettings(masquerades: boolean): void {
    const { hasHashing: adoptsFlows, hasIpv6 } = programmer;
    bringSysctls(wantedSysctls({ adoptsFlows, masquerades, hasIpv6 }), logger);
    bringTimeouts(table, timeouts);
  }

  /** A device that is away holds nothing else up. */
  function bringSync(): void {
    try {
      foreignDaemons = bringDaemons(table, record, daemons, logger);
    } catch (failure) {
      logger.error("connections not synchronised", { error: String(failure) });
    }
  }

  /** Remembers how the kernel was before Parasaus came. */
  function recordOriginal(): void {
    const { original } = record.recorded;
    const names = Object.keys(wantedSysctls({ adoptsFlows: false, masquerades: true, hasIpv6: true }));
    const sysctls = presentSysctls(names.filter((name) => !(name in original)));
    const timeouts = TIMEOUTS in original ? {} : { [TIMEOUTS]: JSON.stringify(table.readTimeouts()) };
    const fresh = { ...sysctls, ...timeouts };
    if (Object.keys(fresh).length > 0) record.append([{ original: fresh }]);
  }
}

function capabilitiesOf(canMasquerade: boolean, canMark: boolean): DriverCapabilities {
  return {
    forwarding: [...(canMasquerade ? (["fullnat"] as const) : []), "nat", "dsr", "tunnel"],
    schedulers: SCHEDULER_NAMES,
    protocols: ["TCP", "UDP", "SCTP"],
    families: [4, 6],
    affinityByPrefix: true,
    onePacket: true,
    portRanges: canMark,
    forwards: true,
    changesSchedulerWithoutGap: false,
    countsRefusals: false,
    tellsAffinity: false,
    counterDelayMs: ESTIMATION_MS,
  };
}
