import { setMaxListeners } from "node:events";
import type { Clock, Logger } from "../foundation/index.ts";
import {
  type GuardedAddressClass,
  PROBES,
  type ProbeRegistry,
  type ProbeResult,
  runProbe,
} from "../health/index.ts";
import type { Resources } from "../resources/index.ts";
import { startAllocator } from "./allocator/allocator.ts";
import type { ConnectAddressLookup } from "./allocator/member-admission.ts";
import { startCircleHealthcheck } from "./circle-healthcheck/circle-healthcheck.ts";
import type { ProbeLedger } from "./circle-healthcheck/probe-ledger.ts";
import { runCircleWatch } from "./circle-watch/circle-watch.ts";
import type { ControllerEnvironment } from "./runtime/environment.ts";
import { type ControllerMetrics, noMetrics } from "./runtime/metrics.ts";

/** What the controllers work on. */
export interface ControllersOptions {
  /** Plain clients of the API: local or remote. */
  readonly resources: Resources;
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
  readonly probeLedger: ProbeLedger;
  /**
   * Probes one member out of turn.
   *
   * @param poolKey `namespace/name`.
   * @param member `ip:port`.
   * @returns undefined when there is no such member, or it is not probed.
   */
  probeNow(poolKey: string, member: string): Promise<ProbeResult> | undefined;
  /** `namespace/name` of the pool that listens on an address, be it as one of the nodes' own. */
  readonly connectAddressHolder: ConnectAddressLookup;
  /** Whether verdicts are frozen because most of the fleet failed at once. */
  areVerdictsFrozen(): boolean;
  /** Rejects when a controller fails in a way that it cannot retry; resolves when all have stopped. */
  readonly ended: Promise<void>;
}

/**
 * Starts allocator, circle-watch and circle-healthcheck. One process at a time may run them over one store: the
 * allocator's claims are made in its memory.
 */
export function startControllers(options: ControllersOptions): Controllers {
  const stop = new AbortController();
  // Every view, queue and schedule listens to it.
  setMaxListeners(0, stop.signal);
  const onAbort = (): void => stop.abort(options.signal.reason);
  if (options.signal.aborted) onAbort();
  options.signal.addEventListener("abort", onAbort, { once: true });
  const environmentOf = (controller: string): ControllerEnvironment => ({
    resources: options.resources,
    clock: options.clock,
    logger: options.logger.child({ controller }),
    metrics: options.metrics ?? noMetrics,
    signal: stop.signal,
    random: options.random ?? Math.random,
  });
  const probing = {
    registry: options.probes ?? PROBES,
    clock: options.clock,
    allowedClasses: new Set(options.allowedProbeClasses),
  };
  const healthcheck = startCircleHealthcheck(environmentOf("circle-healthcheck"), {
    probe: (target) => runProbe(target, probing),
  });
  const allocator = startAllocator(environmentOf("allocator"));
  const ended = Promise.all([
    allocator.ended,
    runCircleWatch(environmentOf("circle-watch")),
    healthcheck.ended,
  ]).then(() => undefined);
  return {
    probeLedger: healthcheck.probeLedger,
    probeNow: (poolKey, member) => healthcheck.probeNow(poolKey, member),
    connectAddressHolder: allocator.holderAt,
    areVerdictsFrozen: () => healthcheck.isFrozen(),
    ended,
    [Symbol.asyncDispose]: async () => {
      options.signal.removeEventListener("abort", onAbort);
      stop.abort();
      await ended;
    },
  };
}
