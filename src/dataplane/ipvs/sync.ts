import type { Logger } from "../../foundation/index.ts";
import type { OwnershipRecord } from "./record.ts";
import type { ServiceTable, SyncDaemon } from "./table.ts";

/** How nodes tell each other of their connections. */
export interface SyncOptions {
  /** Device to speak and listen on. */
  readonly device: string;
  /** Only nodes with the same number listen to each other, 0-255. */
  readonly id: number;
  /** IPv4 multicast address. */
  readonly group: string;
  /** UDP port, 1-65535. */
  readonly port: number;
  /** Hops that messages may take, 1-255. */
  readonly ttl: number;
}

const STATES = ["master", "backup"] as const;

/** The daemons that the options ask for: one that tells and one that listens. */
export function wantedDaemons(sync: SyncOptions | undefined): readonly SyncDaemon[] {
  return sync ? STATES.map((state) => ({ state, ...sync })) : [];
}

/**
 * Starts what is missing, ends what is ours and no longer wanted, and leaves alone what is somebody else's: a daemon that
 * the record does not have just as it runs. The record knows before the kernel does what is ours.
 *
 * @returns somebody else's daemons, in words
 * @throws ParasausError `KernelError` when the kernel refuses one
 */
export function bringDaemons(
  table: ServiceTable,
  record: OwnershipRecord,
  wanted: readonly SyncDaemon[],
  logger: Logger,
): readonly string[] {
  const running = table.readDaemons();
  return STATES.flatMap((state) => {
    const [found, own, asked] = [running, record.recorded.daemons, wanted].map((list) =>
      daemonOf(list, state),
    );
    if (found && !isSameDaemon(found, own)) {
      keep(record, state, undefined);
      return [describeDaemon(found)];
    }
    if (isSameDaemon(found, asked)) return [];
    replace(table, record, state, found, asked);
    logger.info("synchronisation of connections changed", {
      before: found ? describeDaemon(found) : "none",
      value: asked ? describeDaemon(asked) : "none",
    });
    return [];
  });
}

function daemonOf(list: readonly SyncDaemon[], state: SyncDaemon["state"]): SyncDaemon | undefined {
  return list.find((each) => each.state === state);
}

function replace(
  table: ServiceTable,
  record: OwnershipRecord,
  state: SyncDaemon["state"],
  found: SyncDaemon | undefined,
  asked: SyncDaemon | undefined,
): void {
  if (found) table.stopDaemon(state);
  keep(record, state, asked);
  if (!asked) return;
  try {
    table.startDaemon(asked);
  } catch (failure) {
    keep(record, state, undefined);
    throw failure;
  }
}

/** Writes down which daemon of a state is ours. */
function keep(record: OwnershipRecord, state: SyncDaemon["state"], own: SyncDaemon | undefined): void {
  const before = record.recorded.daemons;
  if (isSameDaemon(daemonOf(before, state), own)) return;
  const others = before.filter((each) => each.state !== state);
  record.append([{ daemons: own ? [...others, own] : others }]);
}

/** Ends the daemons that the record has, where they still run as it has them. */
export function stopDaemons(table: ServiceTable, recorded: readonly SyncDaemon[]): void {
  for (const daemon of table.readDaemons())
    if (recorded.some((each) => isSameDaemon(each, daemon))) table.stopDaemon(daemon.state);
}

function isSameDaemon(one: SyncDaemon | undefined, other: SyncDaemon | undefined): boolean {
  return (one && describeDaemon(one)) === (other && describeDaemon(other));
}

/** `sync daemon master on eth0 (id 0, 224.0.0.81:8848, ttl 1)`: the same for the same daemon. */
function describeDaemon({ state, device, id, group, port, ttl }: SyncDaemon): string {
  return `sync daemon ${state} on ${device} (id ${id}, ${group}:${port}, ttl ${ttl})`;
}
