import { ParasausError } from "../../foundation/index.ts";
import type { StoreEntry, StoreEvent } from "../store.ts";
import { eventOf } from "../store-event.ts";
import { crc32c } from "./crc32c.ts";

/** One stored value with the lease that it depends on. */
export interface Held {
  readonly entry: StoreEntry;
  readonly leaseId: string | undefined;
}

/**
 * A record as it lies in the data file: CRC-32C over key and payload, then the payload.
 * The key is covered too, so that a record that moved to another key is found out.
 */
export function sealRecord(key: string, payload: string): Buffer {
  const size = Buffer.byteLength(payload);
  const record = Buffer.allocUnsafeSlow(size + 4);
  record.write(payload, 4);
  record.writeUInt32LE(crc32c(record.subarray(4), crc32c(Buffer.from(key))), 0);
  return record;
}

/** The checksum that a sealed record carries. */
export function checksumOf(record: Buffer): number {
  return record.readUInt32LE(0);
}

/** @throws ParasausError `StoreCorrupt` unless the record is the one that was sealed under `key` */
export function unsealRecord(key: string, record: Buffer): string {
  const isWhole =
    record.length >= 4 && checksumOf(record) === crc32c(record.subarray(4), crc32c(Buffer.from(key)));
  if (!isWhole)
    throw new ParasausError("StoreCorrupt", `Cannot read the record "${key}": its checksum is wrong`);
  return record.toString("utf8", 4);
}

/** Payload of one held value: a line of JSON with its revisions and lease, then the value as it is. */
export function formatHeld({ entry, leaseId }: Held): string {
  return `${JSON.stringify([entry.createRevision, entry.modRevision, leaseId ?? null])}\n${entry.value}`;
}

/** Reads what {@link formatHeld} wrote. */
export function parseHeld(key: string, payload: string): Held {
  const line = payload.indexOf("\n");
  const [createRevision, modRevision, leaseId]: [number, number, string | null] = JSON.parse(
    payload.slice(0, line),
  );
  const entry = { key, value: payload.slice(line + 1), createRevision, modRevision };
  return { entry, leaseId: leaseId ?? undefined };
}

/** `[createRevision, modRevision, length of the value]`. */
type EntryFrame = readonly [number, number, number];
/** `[key, the entry after the event or null, the entry before it or null]`. */
type EventFrame = readonly [string, EntryFrame | null, EntryFrame | null];

/** Payload of one revision: a line of JSON with the frames, then all values one after the other. */
export function formatEvents(events: readonly StoreEvent[]): string {
  const values: string[] = [];
  const frame = (entry: StoreEntry | undefined): EntryFrame | null => {
    if (!entry) return null;
    values.push(entry.value);
    return [entry.createRevision, entry.modRevision, entry.value.length];
  };
  const frames = events.map((event): EventFrame => {
    const after = event.kind === "put" ? event.entry : undefined;
    return [after?.key ?? (event as { key: string }).key, frame(after), frame(event.previous)];
  });
  return `${JSON.stringify(frames)}\n${values.join("")}`;
}

/** Reads what {@link formatEvents} wrote. */
export function parseEvents(revision: number, payload: string): StoreEvent[] {
  const line = payload.indexOf("\n");
  const frames: EventFrame[] = JSON.parse(payload.slice(0, line));
  let at = line + 1;
  const read = (key: string, frame: EntryFrame | null): StoreEntry | undefined => {
    if (!frame) return undefined;
    const [createRevision, modRevision, length] = frame;
    at += length;
    return { key, value: payload.slice(at - length, at), createRevision, modRevision };
  };
  return frames.map(([key, after, before]) => {
    const entry = read(key, after);
    return eventOf(key, revision, entry, read(key, before));
  });
}
