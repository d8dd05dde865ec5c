import type { Clock, Logger } from "../../foundation/index.ts";
import type { Resources } from "../../resources/index.ts";
import type { ControllerMetrics } from "./metrics.ts";

/** What every controller is given. */
export interface ControllerEnvironment {
  readonly resources: Resources;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly metrics: ControllerMetrics;
  readonly signal: AbortSignal;
  /** In [0, 1). */
  readonly random: () => number;
}
