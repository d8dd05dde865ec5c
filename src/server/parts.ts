import type { Configuration } from "../configuration/index.ts";
import type { Controllers } from "../controllers/index.ts";
import type { Clock, Logger } from "../foundation/index.ts";
import type { ProbeRegistry } from "../health/index.ts";
import type { Epoch, LocalResources } from "../resources/local/index.ts";
import type { Store } from "../store/index.ts";
import type { OperationView } from "./console/operation-view.ts";
import type { ProcessMetrics } from "./metrics/registry.ts";
import type { PoolView } from "./pool-view.ts";
import type { Task } from "./tasks.ts";

/** What a control plane is made with. */
export interface ControlPlaneOptions {
  readonly configuration: Configuration;
  readonly log: Logger;
  readonly clock: Clock;
  readonly random: () => number;
  /** Kinds of checks. Default: all that there are. */
  readonly probes?: ProbeRegistry;
  /** Where the build put the console's files. Default: nowhere, there is no console. */
  readonly consoleDirectory?: string;
}

/** The same with the metrics of the process. */
export interface MeteredOptions extends ControlPlaneOptions {
  readonly process: ProcessMetrics;
}

/** Everything inside a running control plane. */
export interface Parts extends MeteredOptions {
  readonly store: Store;
  /** The epoch that the store is in. */
  readonly epoch: Epoch;
  readonly resources: LocalResources;
  /** Absent while they are started anew. */
  readonly controllers: () => Controllers | undefined;
  readonly tasks: readonly Task[];
  readonly view: PoolView;
  readonly operations: OperationView;
  readonly signal: AbortSignal;
  /** Resolves when everything has ended after the signal, and other servers have what this one led. */
  readonly ended: Promise<void>;
}
