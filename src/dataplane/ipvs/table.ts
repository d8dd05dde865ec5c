import type { IpFamily } from "../../foundation/index.ts";
import type { ConnectAddress } from "../../model/index.ts";
import type { Command } from "./commands.ts";
import type { Destination, Service } from "./services.ts";

/** One destination with what the kernel counts for it. */
export interface TableDestination extends Destination {
  /** Connections in a state that counts as active: being opened, or open. */
  readonly activeConnections: number;
  /** Connections that are closing. */
  readonly inactiveConnections: number;
  /** Connections since it was added. */
  readonly totalConnections: number;
  readonly packetsIn: number;
  /** Bytes on the wire. */
  readonly bytesIn: number;
  readonly packetsOut: number;
  /** Bytes on the wire. */
  readonly bytesOut: number;
}

/** One service as the kernel has it. */
export interface TableService extends Service {
  /** By `placeKey`. */
  readonly destinations: ReadonlyMap<string, TableDestination>;
}

/** Everything that the kernel's table holds. */
export interface TableContent {
  /** Services on an address or a range of ports, by `placeKey`. */
  readonly services: ReadonlyMap<string, TableService>;
  /** All others, in words: those on a mark that is no range's. */
  readonly others: readonly string[];
}

/** What a mark stands for. */
export type RangeAt = (family: IpFamily, mark: number) => ConnectAddress | undefined;

/** A command that the kernel refused. */
export interface CommandFailure {
  readonly command: Command;
  readonly code: "CapacityExceeded" | "KernelError" | "KernelUnsupported";
  readonly message: string;
}

/** Idle times after which the kernel forgets a connection, seconds. */
export interface TableTimeouts {
  readonly establishedSeconds: number;
  /** After a FIN. */
  readonly closingSeconds: number;
  /** UDP. */
  readonly datagramSeconds: number;
}

/** One of the kernel's threads that tell other nodes of connections (`master`), or hear of theirs (`backup`). */
export interface SyncDaemon {
  readonly state: "master" | "backup";
  readonly device: string;
  /** 0-255. */
  readonly id: number;
  /** Multicast address. */
  readonly group: string;
  /** UDP port, 1-65535. */
  readonly port: number;
  /** Hops, 1-255. */
  readonly ttl: number;
}

/** The kernel's table of services, in the words of this folder. */
export interface ServiceTable extends Disposable {
  /** @param rangeAt The range of ports that a mark stands for; undefined when it is none of ours. */
  read(rangeAt: RangeAt): TableContent;
  /** @returns undefined where the kernel has no such service */
  readService(address: ConnectAddress): TableService | undefined;
  /** @returns none where the kernel has no such service */
  readDestinations(address: ConnectAddress): readonly TableDestination[];
  /** Runs them in order; a failed one does not hold the others up. */
  execute(commands: readonly Command[]): readonly CommandFailure[];
  /** What is programmed, in the kernel's words; equal as long as nobody has changed it. */
  listing(): string;
  /** Messages that change something, sent since it was opened. */
  readonly writeCount: number;
  /** Messages that ask, sent since it was opened. */
  readonly askCount: number;
  readTimeouts(): TableTimeouts;
  writeTimeouts(timeouts: TableTimeouts): void;
  /** At most one of each state. */
  readDaemons(): readonly SyncDaemon[];
  startDaemon(daemon: SyncDaemon): void;
  stopDaemon(state: SyncDaemon["state"]): void;
}
