import type { LoadedConfiguration } from "../../configuration/index.ts";
import { ParasausError, type Terminal } from "../../foundation/index.ts";

/**
 * Takes everything that the agent put there out of this node's kernel: `parasaus uninstall`.
 *
 * @throws ParasausError `KernelUnsupported` without root
 */
export async function uninstallNodeProcess(loaded: LoadedConfiguration, terminal: Terminal): Promise<number> {
  const { nodeName } = loaded.values;
  if (!terminal.isRoot) {
    throw new ParasausError(
      "KernelUnsupported",
      "Cannot uninstall: only root can change the kernel's programs",
    );
  }
  const { uninstallEbpf } = await import("../../dataplane/ebpf/index.ts");
  const wasThere = uninstallEbpf({ node: nodeName });
  terminal.stdout.write(
    wasThere
      ? `Node "${nodeName}" forwards no more\n`
      : `Nothing to take out: node "${nodeName}" has no programs here\n`,
  );
  return 0;
}
