import { setMaxListeners } from "node:events";
import type { Clock, Logger } from "../foundation/index.ts";
import {
  type GuardedAddressClass,
  PROBES,
  type ProbeRegistry,
  type ProbeResult,
  runProbe,
} from "../health/index.ts";
import { runAllocator } from "./allocator/allocator.ts";
import { startCircleHealthcheck } from "./circle-healthcheck/circle-healthcheck.ts";
import type { ProbeLedger } from "./circle-healthcheck/probe-ledger.ts";
import { runCircleWatch } from "./circle-watch/circle-watch.ts";
import type { Authority, Tenure } from "./runtime/authority.ts";
import type { ControllerEnvironment } from "./runtime/environment.ts";
import { type ControllerMetrics, type ControllerName, noMetrics } from "./runtime/metrics.ts";

/** What the controllers work on. */
export interface ControllersOptions {
  /** Where they get the objects and the right to write them from; they are plain clients of the API, local or remote. */
  readonly authority: Authority;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Stops the controllers. */
  readonly signal: AbortSignal;
  /** Default: counts nothing. */
  readonly metrics?: ControllerMetrics;
  /** Classes of addresses that may be probed besides ordinary unicast. Default none. */
  readonly allowedProbeClasses?: readonly GuardedAddressClass[];
  /** Kinds of checks. Default: all that there are. */
  readonly probes?: ProbeRegistry;
  /** Source of randomness in [0, 1). Default `Math.random`. */
  readonly random?: () => number;
}

/** Running controllers. Disposing stops them and waits for what they are writing. */
export interface Controllers extends AsyncDisposable {
  /** The probes of this process; other servers have those of their own shards. */
  readonly probeLedger: ProbeLedger;
  /**
   * Probes one member out of turn.
   *
   * @param poolKey `namespace/name`.
   * @param member `ip:port`.
   * @returns undefined when there is no such member, or it is not probed, or not by this process.
   */
  probeNow(poolKey: string, member: string): Promise<ProbeResult> | undefined;
  /** Whether verdicts are frozen because most of the fleet failed at once. */
  areVerdictsFrozen(): boolean;
  /** Rejects when a controller fails in a way that it cannot retry; resolves when all have stopped. */
  readonly ended: Promise<void>;
}

/** Starts allocator, circle-watch and circle-healthcheck. Each works while the authority says that it may. */
export function startControllers(options: ControllersOptions): Controllers {
  const stop = new AbortController();
  // Every tenure listens to it.
  setMaxListeners(0, stop.signal);
  const onAbort = (): void => stop.abort(options.signal.reason);
  if (options.signal.aborted) onAbort();
  options.signal.addEventListener("abort", onAbort, { once: true });
  const lead = (controller: ControllerName, run: (environment: ControllerEnvironment) => Promise<void>) =>
    options.authority.lead(
      controller,
      (tenure) => run(environmentOf(options, controller, tenure)),
      stop.signal,
    );
  const probing = {
    registry: options.probes ?? PROBES,
    clock: options.clock,
    allowedClasses: new Set(options.allowedProbeClasses),
  };
  const reading = { resources: options.authority.resources, signal: stop.signal };
  const healthcheck = startCircleHealthcheck(environmentOf(options, "circle-healthcheck", reading), {
    authority: options.authority,
    probe: (target) => runProbe(target, probing),
  });
  const ended = Promise.all([
    lead("allocator", runAllocator),
    lead("circle-watch", runCircleWatch),
    healthcheck.ended,
  ]).then(() => undefined);
  return {
    probeLedger: healthcheck.probeLedger,
    probeNow: (poolKey, member) => healthcheck.probeNow(poolKey, member),
    areVerdictsFrozen: () => healthcheck.isFrozen(),
    ended,
    [Symbol.asyncDispose]: async () => {
      options.signal.removeEventListener("abort", onAbort);
      stop.abort();
      await ended;
    },
  };
}

function environmentOf(
  options: ControllersOptions,
  controller: ControllerName,
  { resources, signal }: Tenure,
): ControllerEnvironment {
  return {
    resources,
    clock: options.clock,
    logger: options.logger.child({ controller }),
    metrics: options.metrics ?? noMetrics,
    signal,
    random: options.random ?? Math.random,
  };
}
