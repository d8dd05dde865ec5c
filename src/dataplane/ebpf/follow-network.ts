import type { BpfProgram } from "../../linux/index.ts";
import { listDevices, type NetworkChange, type NetworkDevice, watchNetwork } from "../../linux/index.ts";
import type { ApplyContext } from "./apply.ts";
import { attachDevice, attachDevices, isWantedDevice } from "./attachments.ts";
import type { MemberWrite } from "./kernel.ts";
import { LAYOUT, MEMBER_LOCAL } from "./layout.ts";
import type { EbpfDriverOptions } from "./options.ts";
import { raiseRouteEpoch } from "./settings.ts";
import { pause } from "./snapshot.ts";
import { indexKey } from "./words.ts";

/** Changes come in bursts: wait for the end of one, but not longer than this. */
const DEBOUNCE_MS = 50;
const MEMBERS_PER_PAUSE = 256;

/** How long to wait before following the network anew when that has failed. */
const RETRY_MS = 1000;

/** Follows the network for as long as the driver is open: new devices, moved routes, other next hops. */
export async function followNetwork(
  context: ApplyContext,
  options: EbpfDriverOptions,
  programs: ReadonlyMap<string, BpfProgram>,
  signal: AbortSignal,
): Promise<void> {
  for (let attempt = 0; !signal.aborted; attempt += 1) {
    try {
      if (attempt > 0) {
        raiseRouteEpoch(context.kernel, true);
        attachDevices(options, programs);
      }
      await followOnce(context, options, programs, signal);
    } catch (failure) {
      options.logger.error("cannot follow the network", { error: failure });
      await options.clock.sleep(RETRY_MS, signal).catch(() => undefined);
    }
  }
}

function followOnce(
  context: ApplyContext,
  options: EbpfDriverOptions,
  programs: ReadonlyMap<string, BpfProgram>,
  signal: AbortSignal,
): Promise<void> {
  let pending: Promise<void> | undefined;
  return watchNetwork({
    clock: options.clock,
    signal,
    onChanges(changes) {
      attachNew(changes);
      if (changes.some(concernsRoutes)) pending ??= reroute().finally(() => (pending = undefined));
    },
  });

  function attachNew(changes: readonly NetworkChange[]): void {
    const appeared = changes.some((change) => change.kind === "overrun")
      ? listDevices()
      : changes.flatMap((change) => (change.kind === "device" && !change.isGone ? [change.device] : []));
    for (const device of appeared) {
      if (isWantedDevice(device, options.devices)) tryToAttach(device);
    }
  }

  /** One device that cannot be attached must not keep the others from it. */
  function tryToAttach(device: NetworkDevice): void {
    try {
      attachDevice(device, programs, options.logger);
    } catch (failure) {
      options.logger.error("cannot attach device", { device: device.name, error: failure });
    }
  }

  async function reroute(): Promise<void> {
    try {
      await options.clock.sleep(DEBOUNCE_MS, signal);
      context.sources.forget();
      raiseRouteEpoch(context.kernel, true);
      await refreshSources(context, signal);
    } catch (failure) {
      if (!signal.aborted) options.logger.error("cannot follow a change of the network", { error: failure });
    }
  }
}

function concernsRoutes(change: NetworkChange): boolean {
  return change.kind !== "device" || change.isGone || change.device.isUp;
}

/** Rewrites members whose address is reached from another address of ours now. */
async function refreshSources(context: ApplyContext, signal: AbortSignal): Promise<void> {
  const { kernel, mirror, sources } = context;
  let looked = 0;
  for (const record of mirror.pools.values()) {
    const writes = [...record.members].flatMap(([place, index]): MemberWrite[] => {
      const { source, isLocal } = sources.find(Math.floor(place / 0x10000));
      const row = Buffer.alloc(LAYOUT.member.size);
      kernel.maps.member.lookup(indexKey(index), row);
      const flags = isLocal ? MEMBER_LOCAL : 0;
      const isRight = row.readUInt32BE(LAYOUT.member.source) === source && row[LAYOUT.member.flags] === flags;
      if (isRight || record.uidBytes.compare(row, 0, 16) !== 0) return [];
      row.writeUInt32BE(source, LAYOUT.member.source);
      row[LAYOUT.member.flags] = flags;
      return [{ index, row }];
    });
    kernel.writeMembers(writes);
    looked += record.members.size;
    if (looked < MEMBERS_PER_PAUSE) continue;
    looked = 0;
    await pause();
    if (signal.aborted) return;
  }
}
