import { existsSync, readdirSync } from "node:fs";
import type { Predecessor } from "../driver.ts";
import { createPredecessor } from "../kernel-driver.ts";
import { openEbpfDriver } from "./driver.ts";
import type { EbpfDriverOptions } from "./options.ts";
import { pinFolderFor } from "./pin-folder.ts";
import { uninstallEbpf } from "./uninstall.ts";

/**
 * Opens what the eBPF driver left on this node, for another driver that forwards from now on. Its programs stay where they
 * are: they see packets first, and let pass what is the successor's.
 *
 * @returns undefined where it left nothing
 * @throws ParasausError as `openEbpfDriver`
 */
export async function openEbpfPredecessor(options: EbpfDriverOptions): Promise<Predecessor | undefined> {
  if (!hasPrograms(options)) return undefined;
  const driver = await openEbpfDriver(options);
  return createPredecessor(
    driver,
    () => driver.besides("serves"),
    () => uninstallEbpf(options),
  );
}

function hasPrograms(options: EbpfDriverOptions): boolean {
  const folder = pinFolderFor(options);
  return existsSync(folder) && readdirSync(folder).some((name) => name.startsWith("programs-"));
}
