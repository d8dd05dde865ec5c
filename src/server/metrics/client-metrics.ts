import type { ListClass, SlowClient } from "../../api/index.ts";
import type { Logger } from "../../foundation/index.ts";
import type { WatchCacheEvent } from "../../store/cached/index.ts";
import type { ProcessMetrics } from "./registry.ts";

/** Counts open watches. */
export function countWatchers(metrics: ProcessMetrics): (resource: string, change: 1 | -1) => void {
  const watchers = metrics.gauge("parasaus_watchers", "Open watches.", ["resource"]);
  const open = new Map<string, number>();
  return (resource, change) => {
    const count = (open.get(resource) ?? 0) + change;
    open.set(resource, count);
    watchers({ resource }, count);
  };
}

/** Counts clients that were dropped because they do not read, and says who they were. */
export function noteSlowClients(metrics: ProcessMetrics, logger: Logger): (client: SlowClient) => void {
  const dropped = metrics.counter(
    "parasaus_slow_clients_dropped_total",
    "Clients that were dropped because they did not read their answer.",
    ["resource", "verb"],
  );
  return ({ resource, verb, address, userAgent }) => {
    dropped({ resource, verb });
    logger.warn("client dropped, it does not read its answer", { resource, verb, address, userAgent });
  };
}

/** Counts large lists that were sent away. */
export function countRefusedLists(metrics: ProcessMetrics): (listClass: ListClass) => void {
  const refused = metrics.counter(
    "parasaus_lists_refused_total",
    "Large lists that were answered with 429 because too many waited.",
    ["class"],
  );
  return (listClass) => refused({ class: listClass });
}

/** Counts what happens between the watch cache and its store. */
export function countCacheEvents(metrics: ProcessMetrics): (event: WatchCacheEvent) => void {
  const events = metrics.counter(
    "parasaus_watch_cache_events_total",
    "What happened between the watch cache and its store.",
    ["event"],
  );
  return (event) => events({ event });
}
