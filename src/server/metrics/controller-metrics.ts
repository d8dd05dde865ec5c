import type { ControllerMetrics } from "../../controllers/index.ts";
import type { ProcessMetrics } from "./registry.ts";

/** Counts what controllers tell. */
export function createControllerMetrics(metrics: ProcessMetrics): ControllerMetrics {
  const hooks = metrics.counter("parasaus_hooks_total", "Hooks that entered a controller's queue.", [
    "controller",
    "hook",
  ]);
  const reconciles = metrics.histogram("parasaus_reconcile_duration_seconds", "Time of one reconcile.", [
    "controller",
    "result",
  ]);
  const results = metrics.counter("parasaus_healthcheck_results_total", "Probes by check and reason code.", [
    "check",
    "code",
  ]);
  const durations = metrics.histogram("parasaus_healthcheck_duration_seconds", "Time of one probe.", [
    "check",
  ]);
  const lateness = metrics.histogram(
    "parasaus_probe_lag_seconds",
    "How much later than due a probe started.",
    [],
  );
  const late = metrics.counter(
    "parasaus_late_probes_total",
    "Probes that started more than half a second after they were due: the server cannot keep up.",
    [],
  );
  const verdicts = metrics.counter("parasaus_verdict_changes_total", "Changes of verdicts.", ["verdict"]);
  const frozen = metrics.gauge(
    "parasaus_verdicts_frozen",
    "1 while verdicts are frozen because most of the fleet failed at once.",
    [],
  );
  const addresses = metrics.gauge("parasaus_address_pool_addresses", "Connect addresses by state.", [
    "address_pool",
    "state",
  ]);
  return {
    hookFired: (controller, hook) => hooks({ controller, hook }),
    reconciled: (controller, durationMs, succeeded) =>
      reconciles({ controller, result: succeeded ? "success" : "failure" }, durationMs / 1000),
    probed: (check, code, durationMs, latenessMs) => {
      results({ check, code });
      durations({ check }, durationMs / 1000);
      lateness({}, latenessMs / 1000);
    },
    probedLate: () => late({}),
    verdictChanged: (verdict) => verdicts({ verdict }),
    freezeChanged: (isFrozen) => frozen({}, isFrozen ? 1 : 0),
    addressPoolUsed: (addressPool, capacityCount, usedCount, quarantinedCount) => {
      const set = (state: string, count: number) => addresses({ address_pool: addressPool, state }, count);
      set("capacity", capacityCount);
      set("used", usedCount);
      set("quarantined", quarantinedCount);
    },
  };
}
