import type { LoadedConfiguration } from "../configuration/index.ts";
import type { Terminal } from "../foundation/index.ts";
import type { Backup } from "../resources/backup/index.ts";
import type { RestoreResult } from "../resources/local/index.ts";
import type { RestoreRequest } from "./backup/stored-backup.ts";

/** Runs the control plane and this machine's node: `parasaus up`. Resolves to the exit code. */
export async function runUp(loaded: LoadedConfiguration, terminal: Terminal): Promise<number> {
  return (await import("./run-up.ts")).runUpProcess(loaded, terminal);
}

/** Runs the control plane alone: `parasaus server`. Resolves to the exit code. */
export async function runServer(loaded: LoadedConfiguration, terminal: Terminal): Promise<number> {
  return (await import("./run-server.ts")).runServerProcess(loaded, terminal);
}

/** Runs one node: `parasaus agent`. Resolves to the exit code. */
export async function runAgent(loaded: LoadedConfiguration, terminal: Terminal): Promise<number> {
  return (await import("./agent/agent-process.ts")).runAgentProcess(loaded, terminal);
}

/** Lets pools take over what runs in IPVS: `parasaus adopt --running`. Resolves to the exit code. */
export async function adoptRunning(loaded: LoadedConfiguration, terminal: Terminal): Promise<number> {
  return (await import("./agent/adopt-running.ts")).adoptRunningProcess(loaded, terminal);
}

/** Takes everything that the agent put there out of the kernel: `parasaus uninstall`. Resolves to the exit code. */
export async function uninstallNode(loaded: LoadedConfiguration, terminal: Terminal): Promise<number> {
  return (await import("./agent/uninstall-node.ts")).uninstallNodeProcess(loaded, terminal);
}

/** Backs up the store that the settings name while no server runs: `parasaus backup --offline`. @returns the file, in pieces */
export async function* backUpStore(loaded: LoadedConfiguration, terminal: Terminal): AsyncGenerator<string> {
  yield* (await import("./backup/stored-backup.ts")).exportStoredBackup(loaded, terminal);
}

/** Restores a backup into the store that the settings name, while no server runs: `parasaus restore`. */
export async function restoreStore(
  loaded: LoadedConfiguration,
  terminal: Terminal,
  backup: Backup,
  request: RestoreRequest,
): Promise<RestoreResult> {
  return (await import("./backup/stored-backup.ts")).restoreStoredBackup(loaded, terminal, backup, request);
}
