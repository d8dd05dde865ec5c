import type {
  Driver,
  DriverCapabilities,
  DriverCounters,
  OperationFailure,
  PoolOperation,
} from "../driver.ts";
import { siftOperations } from "../refuse.ts";
import { countersOf } from "./member-state.ts";
import type { MemoryKernel } from "./memory-kernel.ts";

const CAPABILITIES: DriverCapabilities = {
  forwarding: ["fullnat", "nat"],
  schedulers: ["rr", "wrr", "lc", "wlc", "sh", "mh"],
  protocols: ["TCP", "UDP"],
  families: [4],
  affinityByPrefix: true,
  onePacket: false,
  portRanges: false,
  forwards: false,
  changesSchedulerWithoutGap: true,
  countsRefusals: true,
  tellsAffinity: true,
  counterDelayMs: 0,
};

/** A driver that programs a kernel in memory: for tests, and for a machine that shall forward nothing. */
export function openMemoryDriver(kernel: MemoryKernel): Driver {
  const driver: Driver = {
    name: "memory",
    capabilities: CAPABILITIES,
    nowMs: () => kernel.clock.monotonicMs(),
    observe: async () =>
      [...kernel.pools.values()].map((pool) => pool.programmed).sort((a, b) => (a.uid < b.uid ? -1 : 1)),
    apply: async (operations) => {
      const { accepted, refusals } = siftOperations(
        { name: "memory", capabilities: CAPABILITIES },
        operations,
      );
      return [...refusals, ...accepted.flatMap((operation) => applyOne(kernel, operation))];
    },
    readCounters: async (poolUids) => readCounters(kernel, poolUids),
    explain: async (flow) => kernel.explain(flow),
    listFlows: async (poolUid, limitCount) => kernel.listFlows(poolUid, limitCount),
    maintain: async () => {
      const cutCount = kernel.cutFlows();
      return { expiredCount: 0, cutCount, flowEntryCount: kernel.flowCount };
    },
    setNodeAddresses: async (addresses) => kernel.setNodeAddresses(addresses),
    [Symbol.asyncDispose]: async () => undefined,
  };
  return driver;
}

function applyOne(kernel: MemoryKernel, operation: PoolOperation): OperationFailure[] {
  if (operation.kind === "remove") {
    kernel.remove(operation.uid);
    return [];
  }
  const { uid } = operation.pool;
  if (!kernel.pools.has(uid) && kernel.pools.size >= kernel.poolCapacityCount) {
    const message = `Cannot install pool "${uid}": the kernel holds ${kernel.pools.size} pools, which is all that fit`;
    return [{ uid, code: "CapacityExceeded", message }];
  }
  kernel.install(operation.pool);
  return [];
}

function readCounters(
  kernel: MemoryKernel,
  poolUids: Iterable<string> = kernel.pools.keys(),
): DriverCounters {
  const members = [...poolUids].flatMap((uid) =>
    [...(kernel.pools.get(uid)?.members ?? [])].map((member) => countersOf(uid, member)),
  );
  return {
    members,
    drops: kernel.drops,
    flowEntryCount: kernel.flowCount,
    flowEntryCapacityCount: Number.MAX_SAFE_INTEGER,
    halfOpenCount: 0,
  };
}
