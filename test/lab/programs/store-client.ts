/**
 * Uses an etcd store from within a network namespace, as lines of JSON on standard input ask; see `remote.ts`.
 *
 *     tsx store-client.ts 10.79.0.11:2379,10.79.0.12:2379,10.79.0.13:2379 /paratest/
 */
import { hasCode, systemClock } from "../../../src/foundation/index.ts";
import type { StoreEvent, StoreWatchMessage } from "../../../src/store/index.ts";
import { answerCalls } from "../answer-calls.ts";
import { openLabStore } from "../open-lab-store.ts";

/** What is under it is ours: written, watched and read back. */
const PREFIX = process.argv[3] ?? "/paratest/";
const endpoints = (process.argv[2] ?? "").split(",");
const store = await openLabStore(endpoints);

/** Every write that was acknowledged: its value and revision. */
const acknowledged = new Map<string, { readonly value: string; readonly revision: number }>();
const writing = { stop: new AbortController(), ended: Promise.resolve() };
const counts = { unknown: 0, refused: 0, longestGapMs: 0, lastMs: 0 };
let serial = 0;

async function write(writer: number, bytes: number, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    serial += 1;
    const key = `${PREFIX}${process.pid}/${writer}/${serial}`;
    const value = `${key} `.padEnd(bytes, "x");
    try {
      const { succeeded, revision } = await store.transact(
        [{ key, modRevision: 0 }],
        [{ kind: "put", key, value }],
      );
      // Nobody else has this key: a lost race would be our own success, told as a failure.
      if (!succeeded) throw new Error(`${key} is there already`);
      acknowledged.set(key, { value, revision });
      const nowMs = performance.now();
      counts.longestGapMs = Math.max(counts.longestGapMs, nowMs - counts.lastMs);
      counts.lastMs = nowMs;
    } catch (failure) {
      if (!hasCode(failure, "Unavailable")) throw failure;
      counts[failure.message.includes("outcome unknown") ? "unknown" : "refused"] += 1;
    }
  }
}

/** What the watch has delivered, and what was wrong with it. */
const watched = {
  values: new Map<string, string>(),
  revision: 0,
  events: 0,
  relists: 0,
  faults: [] as string[],
};
const watching = { stop: new AbortController(), ended: Promise.resolve() };

async function follow(signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    try {
      const { entries, revision } = await store.range(PREFIX);
      watched.values = new Map(entries.map(({ key, value }) => [key, value]));
      moveTo(revision, "list");
      for await (const message of store.watch(PREFIX, revision + 1, signal)) take(message);
    } catch (failure) {
      if (!hasCode(failure, "Expired")) throw failure;
      watched.relists += 1;
    }
  }
}

function take(message: StoreWatchMessage): void {
  if (message.kind === "events" && message.revision === watched.revision)
    watched.faults.push(`revision ${message.revision} twice`);
  moveTo(message.revision, message.kind);
  if (message.kind === "events") message.events.forEach(apply);
}

function moveTo(revision: number, kind: string): void {
  if (revision < watched.revision) watched.faults.push(`${kind} ${revision} after ${watched.revision}`);
  watched.revision = revision;
}

function apply(event: StoreEvent): void {
  watched.events += 1;
  const key = event.kind === "put" ? event.entry.key : event.key;
  if (event.previous?.value !== watched.values.get(key))
    watched.faults.push(`${key} was something else before`);
  if (event.kind === "put") watched.values.set(key, event.entry.value);
  else watched.values.delete(key);
}

answerCalls({
  async startWriters(count: number, bytes: number) {
    writing.stop = new AbortController();
    Object.assign(counts, { unknown: 0, refused: 0, longestGapMs: 0, lastMs: performance.now() });
    const { signal } = writing.stop;
    const writers = Array.from({ length: count }, (_, writer) => write(writer, bytes, signal));
    writing.ended = Promise.all(writers).then(() => undefined);
    writing.ended.catch(() => undefined);
  },
  async acknowledged() {
    return acknowledged.size;
  },
  /** Ends the writers, reads everything back, and counts what is not as it was acknowledged. */
  async stopWriters() {
    writing.stop.abort();
    await writing.ended;
    const { entries } = await store.range(PREFIX);
    const stored = new Map(entries.map((entry) => [entry.key, entry]));
    const lost = [...acknowledged].filter(([key, { value, revision }]) => {
      const entry = stored.get(key);
      return entry?.value !== value || entry.modRevision !== revision;
    });
    const { unknown, refused, longestGapMs } = counts;
    return { acknowledged: acknowledged.size, lost: lost.length, unknown, refused, longestGapMs };
  },
  /** For controls: takes away one acknowledged write, past the writers, and one value that the watch has delivered. */
  async sabotage() {
    const [key = ""] = acknowledged.keys();
    await store.transact([], [{ kind: "delete", key }]);
    while (watched.values.has(key)) await systemClock.sleep(10);
    watched.values.delete([...watched.values.keys()].at(-1) ?? "");
  },
  async startWatch() {
    watching.ended = follow(watching.stop.signal);
    watching.ended.catch((failure: unknown) => watched.faults.push(String(failure)));
    while (watched.revision === 0) await systemClock.sleep(10);
  },
  /**
   * Waits until the watch is where the store is, and compares. A write of unknown outcome may still be made after the store
   * was read: then it is read again.
   */
  async watchReport(timeoutMs: number) {
    const endMs = performance.now() + timeoutMs;
    let { entries, revision } = await store.range(PREFIX);
    while (watched.revision !== revision && performance.now() < endMs) {
      await systemClock.sleep(20);
      if (watched.revision > revision) ({ entries, revision } = await store.range(PREFIX));
    }
    const missing = entries.filter(({ key, value }) => watched.values.get(key) !== value).length;
    const { events, relists, faults, values } = watched;
    return {
      behind: revision - watched.revision,
      missing,
      surplus: values.size - entries.length,
      events,
      relists,
      faults,
    };
  },
  async watchedEvents() {
    return watched.events;
  },
  async write(key: string, value: string) {
    return store.transact([], [{ kind: "put", key: PREFIX + key, value }]);
  },
  async remove(key: string) {
    return store.transact([], [{ kind: "delete", key: PREFIX + key }]);
  },
  async revision() {
    return store.revision();
  },
  async compact(revision: number) {
    return store.compact(revision);
  },
});
