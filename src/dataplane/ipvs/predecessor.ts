import type { Predecessor } from "../driver.ts";
import { createPredecessor } from "../kernel-driver.ts";
import { openIpvsDriver } from "./driver.ts";
import { kernelName } from "./kernel-name.ts";
import type { IpvsDriverOptions } from "./options.ts";
import { type RecordPlace, readRecord, recordFileFor } from "./record.ts";
import { uninstallIpvs } from "./uninstall.ts";

/** Whether the IPVS driver left something on this node, by the record of what is ours. */
export function isIpvsInstalled(place: RecordPlace): boolean {
  try {
    return readRecord(recordFileFor(place), kernelName()) !== undefined;
  } catch {
    // Nobody knows what is ours, so that nothing of it can be kept.
    return false;
  }
}

/**
 * Opens what the IPVS driver left on this node, for a driver that takes packets before IPVS sees them. Its services stay
 * as they are: what a new connection is, the successor says.
 *
 * @returns undefined where it left nothing
 * @throws ParasausError as `openIpvsDriver`
 */
export async function openIpvsPredecessor(options: IpvsDriverOptions): Promise<Predecessor | undefined> {
  if (!isIpvsInstalled(options)) return undefined;
  const driver = await openIpvsDriver(options);
  return createPredecessor(
    driver,
    () => undefined,
    () => uninstallIpvs(options, true),
  );
}
