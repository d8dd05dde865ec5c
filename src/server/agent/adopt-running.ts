import type { LoadedConfiguration } from "../../configuration/index.ts";
import { ParasausError, type Terminal } from "../../foundation/index.ts";
import { missingRights } from "./missing-rights.ts";

/**
 * Lets this node's pools take over the services that run in IPVS: `parasaus adopt --running`.
 *
 * @throws ParasausError `KernelUnsupported` without the rights to, or without IPVS
 */
export async function adoptRunningProcess(loaded: LoadedConfiguration, terminal: Terminal): Promise<number> {
  const { nodeName } = loaded.values;
  const lacking = missingRights();
  if (lacking !== undefined) throw new ParasausError("KernelUnsupported", `Cannot adopt: ${lacking}`);
  const { allowAdoption } = await import("../../dataplane/ipvs/index.ts");
  const places = allowAdoption({ node: nodeName });
  for (const place of places) terminal.stdout.write(`${place}\n`);
  terminal.stdout.write(
    `Pools of node "${nodeName}" may take over ${places.length} services: those that they want exactly as they are, within 30 s\n`,
  );
  return 0;
}
