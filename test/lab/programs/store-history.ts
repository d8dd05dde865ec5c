/**
 * Clients that read and swap the same few keys of an etcd store, and the history of what they were told; as lines of JSON on
 * standard input ask, see `remote.ts`.
 *
 *     tsx store-history.ts 10.79.0.11:2379,10.79.0.12:2379,10.79.0.13:2379
 */
import { hasCode } from "../../../src/foundation/index.ts";
import type { Store } from "../../../src/store/index.ts";
import { answerCalls } from "../answer-calls.ts";
import { findFaults, type Operation, type Read, type Swap } from "../linearizability.ts";
import { openLabStore } from "../open-lab-store.ts";

/** What is done wrong on purpose: nothing; some reads are answered from memory; or swaps do not compare. */
type Mistake = "none" | "stale reads" | "blind swaps";

const PREFIX = `/paratest/history/${process.pid}/`;
const KEYS = 4;
/** Then a key is left alone and a new one taken, so that the search for an order ends. */
const OPERATIONS_PER_KEY = 200;
const STALE_SHARE = 0.05;

const endpoints = (process.argv[2] ?? "").split(",");
const history: Operation[] = [];
const state = { stop: new AbortController(), ended: Promise.resolve(), serial: 0, refusedReads: 0 };

type Seen = Pick<Read, "value" | "revision">;

async function runClient(store: Store, mistake: Mistake, signal: AbortSignal): Promise<void> {
  const seen = new Map<string, Seen>();
  while (!signal.aborted) {
    state.serial += 1;
    const generation = Math.floor(state.serial / (KEYS * OPERATIONS_PER_KEY));
    const key = `${PREFIX}${generation}/${state.serial % KEYS}`;
    const last = seen.get(key);
    if (last === undefined || Math.random() < 0.4) await read(store, key, seen, mistake);
    else await swap(store, key, last, seen, mistake);
  }
}

async function read(store: Store, key: string, seen: Map<string, Seen>, mistake: Mistake): Promise<void> {
  const calledMs = performance.now();
  const old = seen.get(key);
  if (mistake === "stale reads" && old && Math.random() < STALE_SHARE) {
    note(key, calledMs, { kind: "read", ...old });
    return;
  }
  try {
    const entry = await store.get(key);
    const now = { value: entry?.value, revision: entry?.modRevision ?? 0 };
    note(key, calledMs, { kind: "read", ...now });
    seen.set(key, now);
  } catch (failure) {
    if (!hasCode(failure, "Unavailable")) throw failure;
    state.refusedReads += 1;
  }
}

async function swap(
  store: Store,
  key: string,
  last: Seen,
  seen: Map<string, Seen>,
  mistake: Mistake,
): Promise<void> {
  const value = `v${state.serial}`;
  const calledMs = performance.now();
  const action = { kind: "swap", expected: last.value, expectedRevision: last.revision, value } as const;
  const guards = mistake === "blind swaps" ? [] : [{ key, modRevision: last.revision }];
  try {
    const { succeeded, revision } = await store.transact(guards, [{ kind: "put", key, value }]);
    note(
      key,
      calledMs,
      succeeded ? { ...action, outcome: "done", revision } : { ...action, outcome: "refused" },
    );
    if (succeeded) seen.set(key, { value, revision });
    else seen.delete(key);
  } catch (failure) {
    if (!hasCode(failure, "Unavailable")) throw failure;
    seen.delete(key);
    // What was refused before it was sent never happens; of the rest nobody knows.
    if (failure.message.includes("outcome unknown")) note(key, calledMs, { ...action, outcome: "unknown" });
  }
}

function note(key: string, calledMs: number, action: Read | Swap): void {
  const isKnown = action.kind === "read" || action.outcome !== "unknown";
  history.push({ key, calledMs, returnedMs: isKnown ? performance.now() : Infinity, action });
}

answerCalls({
  async start(clients: number, mistake: Mistake) {
    history.length = 0;
    state.stop = new AbortController();
    const { signal } = state.stop;
    const running = Array.from({ length: clients }, async () => {
      await using store = await openLabStore(endpoints);
      await runClient(store, mistake, signal);
    });
    state.ended = Promise.all(running).then(() => undefined);
    state.ended.catch(() => undefined);
  },
  async operations() {
    return history.length;
  },
  /** Ends the clients and looks for what no single register would have answered. */
  async stop() {
    state.stop.abort();
    await state.ended;
    const swaps = history.flatMap(({ action }) => (action.kind === "swap" ? [action.outcome] : []));
    const count = (outcome: Swap["outcome"]) => swaps.filter((each) => each === outcome).length;
    return {
      operations: history.length,
      keys: new Set(history.map(({ key }) => key)).size,
      done: count("done"),
      refused: count("refused"),
      unknown: count("unknown"),
      faults: findFaults(history),
    };
  },
});
