import type { ProcessMetrics } from "./registry.ts";

/** One answered request. */
interface Observation {
  readonly verb: string;
  readonly resource: string;
  /** HTTP status. */
  readonly code: number;
  readonly durationMs: number;
}

/** Counts and times the API's requests. Watches are left out of the times: they last as long as their client. */
export function observeRequests(metrics: ProcessMetrics): (observation: Observation) => void {
  const labelNames = ["verb", "resource", "code"];
  const total = metrics.counter("parasaus_apiserver_requests_total", "Requests answered.", labelNames);
  const duration = metrics.histogram(
    "parasaus_apiserver_request_duration_seconds",
    "Time from a request's first byte to its answer's last.",
    labelNames,
  );
  return ({ verb, resource, code, durationMs }) => {
    const labels = { verb, resource, code: String(code) };
    total(labels);
    if (verb !== "watch") duration(labels, durationMs / 1000);
  };
}
