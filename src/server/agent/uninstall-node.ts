import type { LoadedConfiguration } from "../../configuration/index.ts";
import { ParasausError, type Terminal } from "../../foundation/index.ts";
import { missingRights } from "./missing-rights.ts";

/**
 * Takes everything that the agent put there out of this node's kernel: `parasaus uninstall`.
 *
 * @throws ParasausError `KernelUnsupported` without the rights to
 */
export async function uninstallNodeProcess(loaded: LoadedConfiguration, terminal: Terminal): Promise<number> {
  const { nodeName } = loaded.values;
  const lacking = missingRights();
  if (lacking !== undefined) throw new ParasausError("KernelUnsupported", `Cannot uninstall: ${lacking}`);
  const { uninstallEbpf } = await import("../../dataplane/ebpf/index.ts");
  const { uninstallIpvs } = await import("../../dataplane/ipvs/index.ts");
  const wasThere = [uninstallEbpf({ node: nodeName }), uninstallIpvs({ node: nodeName })].includes(true);
  terminal.stdout.write(
    wasThere
      ? `Node "${nodeName}" forwards no more\n`
      : `Nothing to take out: node "${nodeName}" has neither programs nor services here\n`,
  );
  return 0;
}
