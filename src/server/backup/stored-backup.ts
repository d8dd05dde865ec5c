import type { LoadedConfiguration } from "../../configuration/index.ts";
import { ParasausError, systemClock, type Terminal, VERSION } from "../../foundation/index.ts";
import type { Backup } from "../../resources/backup/index.ts";
import {
  exportBackup,
  type RestoreResult,
  readEpoch,
  refuseUnfinished,
  restoreBackup,
} from "../../resources/local/index.ts";
import { holderOf, type Store } from "../../store/index.ts";
import { LEADERS_PREFIX } from "../coordination/keys.ts";
import { openStore } from "../open-store.ts";
import { beginProgram } from "../program.ts";

/** What may be lost for a restore, and what the epoch must be at least. */
export interface RestoreRequest {
  /** Delete what the store holds. */
  readonly replace: boolean;
  /** The new epoch's number is at least this. */
  readonly leastEpoch?: number;
}

/**
 * Opens the store that the settings name and backs it up, while no server runs.
 *
 * @throws ParasausError `Unavailable` while another process has it open, `RestoreUnfinished`, `StoreCorrupt`
 */
export async function* exportStoredBackup(
  loaded: LoadedConfiguration,
  terminal: Terminal,
): AsyncGenerator<string> {
  await using store = await openQuietly(loaded, terminal);
  const epoch = await readEpoch(store);
  refuseUnfinished(epoch);
  yield* exportBackup({ store, epoch, version: VERSION, now: systemClock.now() });
}

/**
 * Opens the store that the settings name and restores a backup into it.
 *
 * @throws ParasausError `Unavailable` while another process has it open, `Conflict` when it is not empty
 */
export async function restoreStoredBackup(
  loaded: LoadedConfiguration,
  terminal: Terminal,
  backup: Backup,
  request: RestoreRequest,
): Promise<RestoreResult> {
  await using store = await openQuietly(loaded, terminal);
  return await restoreBackup({
    ...{ store, backup, clock: systemClock, ...request },
    refuseUsers: () => refuseLeaders(store),
  });
}

/** What a verb prints is its own; the store's log only tells of trouble. */
function openQuietly(loaded: LoadedConfiguration, terminal: Terminal): Promise<Store> {
  const configuration = { ...loaded.values, logLevel: "warn" as const };
  const { log, clock, random } = beginProgram({ ...loaded, values: configuration }, terminal);
  return openStore({ configuration, log, clock, random, signal: terminal.signal });
}

/** Servers that share a store lead in something, all of them together in everything. */
async function refuseLeaders(store: Store): Promise<void> {
  const { entries } = await store.range(LEADERS_PREFIX);
  const servers = new Set(entries.map(({ value }) => holderOf(value) ?? "unknown"));
  if (servers.size === 0) return;
  throw new ParasausError(
    "Unavailable",
    `Cannot restore: servers work on the store (${[...servers].sort().join(", ")}); stop them all, wait until their leases have ended, and try again`,
  );
}
