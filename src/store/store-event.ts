import type { StoreEntry, StoreEvent } from "./store.ts";

/** The key that an event is about. */
export function keyOfEvent(event: StoreEvent): string {
  return event.kind === "put" ? event.entry.key : event.key;
}

/** The revision at which an event happened. */
export function revisionOfEvent(event: StoreEvent): number {
  return event.kind === "put" ? event.entry.modRevision : event.revision;
}

/** The event that turned `previous` into `entry` at `revision`. */
export function eventOf(
  key: string,
  revision: number,
  entry: StoreEntry | undefined,
  previous: StoreEntry | undefined,
): StoreEvent {
  const before = previous ? { previous } : {};
  return entry ? { kind: "put", entry, ...before } : { kind: "delete", key, revision, ...before };
}
