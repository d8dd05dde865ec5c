import type { Driver, Predecessor } from "../dataplane/index.ts";
import type { Clock, Logger } from "../foundation/index.ts";
import type { AgentStatus } from "../model/index.ts";
import type { Resources } from "../resources/index.ts";
import type { LocalListener } from "./local-listeners.ts";
import type { NodeReport } from "./node-reporter.ts";
import type { NodeRequestTransport } from "./request-stream.ts";

/** Calls back with this machine's addresses, at once and whenever they change; settles when the signal aborts. */
export type AddressSource = (
  onAddresses: (addresses: readonly string[]) => void,
  signal: AbortSignal,
) => Promise<void>;

/** Everything that an agent needs from outside. */
export interface AgentOptions {
  /** The objects, usually over a server's API. */
  readonly resources: Resources;
  /** Open; the agent does not close it. */
  readonly driver: Driver;
  /** Why the driver is not the one that would have been preferred; absent when it is. */
  readonly driverFallback?: string;
  /** The driver that forwarded before, where it still has flows; the agent closes it when it takes it out. */
  readonly predecessor?: Predecessor;
  /** How long its flows may go on, seconds; 0 or absent = until they end. */
  readonly driverDrainSeconds?: number;
  readonly nodeName: string;
  /** IPv4 addresses that pools from `node-ports` listen on: a fixed list, or a source that follows the devices. */
  readonly addresses: readonly string[] | AddressSource;
  /** Where the last-known-good state is kept. */
  readonly snapshotDirectory: string;
  /** Of this program, for the Node. */
  readonly version: string;
  /** What the kernel can do, for the Node. */
  readonly kernel?: NonNullable<NodeReport["kernel"]>;
  /** Server that this agent talks to, for the Node. */
  readonly server?: string;
  /** Called when a server's answers are of no use, so that the next request goes to another one. */
  readonly leaveServer?: () => void;
  /** Why the node's certificate is not renewed; null: it is; undefined: it has none. */
  readonly certificateTrouble?: () => string | null | undefined;
  /** The request stream; absent: servers cannot ask this agent anything. */
  readonly requests?: NodeRequestTransport;
  /** Listening sockets of this machine. Default: from /proc/net. */
  readonly listListeners?: () => Promise<readonly LocalListener[]>;
  /** Called once with a function that tells how the agent is doing. */
  readonly onStatus?: (read: () => AgentStatus) => void;
  readonly clock: Clock;
  readonly logger: Logger;
  /** In [0, 1), for back-off. Default `Math.random`. */
  readonly random?: () => number;
  /** Ends the agent; the kernel goes on forwarding. */
  readonly signal: AbortSignal;
}
