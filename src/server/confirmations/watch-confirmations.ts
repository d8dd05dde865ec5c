import type { Clock } from "../../foundation/index.ts";
import type { Store } from "../../store/index.ts";
import { CONFIRMATIONS_PREFIX, type KeptConfirmation, listConfirmations } from "./stored-confirmation.ts";
import { type TakeBackSource, takeBack } from "./take-back.ts";

/** What is over is shown for so long, milliseconds. */
const SHOWN_MS = 86_400_000;
/** The wall clock may be set meanwhile: it is looked at least so often, milliseconds. */
const MOST_WAIT_MS = 30_000;

/** What following confirmations needs. */
export interface ConfirmationWatchOptions extends TakeBackSource {
  readonly signal: AbortSignal;
}

/** Takes back, when its time is up, each change that nobody has confirmed, until the signal aborts. */
export async function watchConfirmations(options: ConfirmationWatchOptions): Promise<void> {
  const { store, clock, signal } = options;
  while (!signal.aborted) {
    const { items, revision } = await listConfirmations(store);
    const nowMs = clock.now().getTime();
    const due = items.filter(({ state, deadline }) => state === "pending" && Date.parse(deadline) <= nowMs);
    for (const { id } of due) await takeBack(options, id);
    await forget(store, items, nowMs);
    if (due.length === 0) await untilNews(options, revision, waitMsFor(items, nowMs));
  }
}

async function forget(
  store: Pick<Store, "transact">,
  items: readonly KeptConfirmation[],
  nowMs: number,
): Promise<void> {
  const old = items.filter(
    ({ finished }) => finished !== undefined && nowMs - Date.parse(finished) > SHOWN_MS,
  );
  for (const { id, modRevision } of old) {
    const key = `${CONFIRMATIONS_PREFIX}${id}`;
    await store.transact([{ key, modRevision }], [{ kind: "delete", key }]);
  }
}

function waitMsFor(items: readonly KeptConfirmation[], nowMs: number): number {
  const waits = items
    .filter(({ state }) => state === "pending")
    .map(({ deadline }) => Date.parse(deadline) - nowMs);
  return Math.min(MOST_WAIT_MS, ...waits);
}

/** Waits for a time, or until a confirmation is written. */
async function untilNews(
  { store, clock, signal }: { readonly store: Store; readonly clock: Clock; readonly signal: AbortSignal },
  revision: number,
  waitMs: number,
): Promise<void> {
  const over = new AbortController();
  const either = AbortSignal.any([signal, over.signal]);
  const changed = async () => {
    for await (const { kind } of store.watch(CONFIRMATIONS_PREFIX, revision + 1, either))
      if (kind === "events") return;
  };
  try {
    await Promise.race([clock.sleep(waitMs, either).catch(() => undefined), changed()]);
  } finally {
    over.abort();
  }
}
