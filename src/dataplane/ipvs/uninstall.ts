import { existsSync, rmSync } from "node:fs";
import { ParasausError } from "../../foundation/index.ts";
import { openLocalRoutes, openPortMarks, readSysctl, writeSysctl } from "../../linux/index.ts";
import { allowanceFileFor } from "./adoption.ts";
import type { Command } from "./commands.ts";
import { kernelName } from "./kernel-name.ts";
import { openKernelTable } from "./kernel-table.ts";
import { openMasquerades } from "./masquerading.ts";
import { ownTableFor } from "./own-table.ts";
import { Programme, parsePlace, rangesOf } from "./programme.ts";
import { type Recorded, type RecordPlace, readRecord, recordFileFor, removeRecord } from "./record.ts";
import { TIMEOUTS } from "./settings.ts";
import { stopDaemons } from "./sync.ts";
import type { ServiceTable } from "./table.ts";

const IP_FORWARD = "net.ipv4.ip_forward";

/**
 * Takes everything out of IPVS that the driver put there, and sets the kernel's settings back to what they were before.
 * Flows end. Services that Parasaus did not make stay.
 *
 * @param isSucceeded Another driver goes on, which needs the node to forward.
 * @returns whether something of ours was there
 * @throws ParasausError `KernelUnsupported` when the kernel has no IPVS any more; `KernelError`
 */
export function uninstallIpvs(place: RecordPlace, isSucceeded = false): boolean {
  const file = recordFileFor(place);
  rmSync(allowanceFileFor(place), { force: true });
  if (!existsSync(file)) return false;
  const recorded = readRecord(file, kernelName());
  if (recorded) {
    using table = openKernelTable();
    using routes = openLocalRoutes();
    for (const ip of routes.list()) routes.remove(ip);
    stopDaemons(table, recorded.daemons);
    using marks = openPortMarks(ownTableFor(place));
    if (marks.whyNot() === undefined) marks.uninstall();
    deleteServices(table, recorded);
    uninstallMasquerades(place);
    restoreSettings(table, recorded, isSucceeded ? [IP_FORWARD] : []);
  }
  removeRecord(file);
  return recorded !== undefined;
}

function uninstallMasquerades(place: RecordPlace): void {
  for (const masquerade of openMasquerades(place)) {
    if (masquerade.whyNot() === undefined) masquerade.uninstall();
    masquerade[Symbol.dispose]();
  }
}

function deleteServices(table: ServiceTable, { entries, nodeAddresses, leaving }: Recorded): void {
  const programme = new Programme();
  programme.setNodeAddresses(nodeAddresses);
  for (const [uid, entry] of entries) programme.set(uid, entry);
  for (const place of leaving) programme.ranges.note(parsePlace(place));
  const held = [...table.read(rangesOf(programme)).services.keys()];
  const ours = held.filter((place) => programme.ownerOf(place) || leaving.has(place));
  const commands = ours.map((place): Command => ({ kind: "delete-service", address: parsePlace(place) }));
  const [failure] = commands.length > 0 ? table.execute(commands) : [];
  if (failure) throw new ParasausError("KernelError", failure.message);
}

function restoreSettings(table: ServiceTable, { original }: Recorded, keptSysctls: readonly string[]): void {
  for (const [name, value] of Object.entries(original)) {
    if (keptSysctls.includes(name)) continue;
    if (name === TIMEOUTS) table.writeTimeouts(JSON.parse(value));
    else if (readSysctl(name) !== value) writeSysctl(name, value);
  }
}
