import { existsSync, rmSync } from "node:fs";
import path from "node:path";
import { listDevices } from "../../linux/index.ts";
import { detachDevice } from "./attachments.ts";
import type { EbpfDriverOptions } from "./options.ts";
import { pinFolderFor } from "./pin-folder.ts";

/**
 * Takes everything off this node that the eBPF driver put there: filters of the devices in this network namespace,
 * cgroup links, tables, programs. Flows end.
 *
 * @returns whether there was anything.
 */
export function uninstallEbpf(options: Pick<EbpfDriverOptions, "node" | "pinRoot">): boolean {
  const folder = pinFolderFor(options);
  if (!existsSync(folder)) return false;
  for (const device of listDevices()) if (device.isEthernet && !device.isLoopback) detachDevice(device);
  rmSync(path.dirname(folder), { recursive: true });
  return true;
}
