import { setMaxListeners } from "node:events";
import type { Clock, Logger } from "../../foundation/index.ts";
import { type Fence, fenceStore, type HeldLease, type Store } from "../../store/index.ts";
import { giveBack } from "./give-back.ts";
import type { HeldKeys } from "./held-keys.ts";
import type { Membership } from "./membership.ts";
import { takeWhenFree } from "./take-when-free.ts";

/** The right that comes with a held key. */
export interface Tenancy {
  /** Refuses with `FenceLost` what is written after the key has gone to another server. */
  readonly store: Store;
  /** Aborts when the key may be lost, or when the work is to end. */
  readonly signal: AbortSignal;
}

/** What leading needs. */
export interface LeadOptions {
  readonly store: Store;
  readonly membership: Membership;
  /** Follows a prefix that `key` is under. */
  readonly keys: HeldKeys;
  readonly key: string;
  readonly clock: Clock;
  readonly logger: Logger;
  /** In [0, 1). */
  readonly random: () => number;
  /** Told when this server comes to hold the key and when it holds it no more. */
  readonly onChange: (isHeld: boolean) => void;
  readonly signal: AbortSignal;
}

/**
 * Does `work` while this server holds the key, anew each time that it gets it, until the signal aborts.
 *
 * @throws what `work` throws, and Error when it ends before it should
 */
export async function leadWhileHeld(
  options: LeadOptions,
  work: (tenancy: Tenancy) => Promise<void>,
): Promise<void> {
  const { membership, signal } = options;
  while (!signal.aborted) {
    const lease = await membership.lease(signal);
    if (!lease) return;
    const over = AbortSignal.any([signal, lease.lost]);
    const fence = await takeWhenFree({ ...options, signal: over }, lease);
    if (fence && over.aborted) await giveBack(lease, [fence], options.logger);
    else if (fence) await leadOnce(options, lease, fence, work);
  }
}

async function leadOnce(
  { store, key, keys, logger, onChange, signal }: LeadOptions,
  lease: HeldLease,
  fence: Fence,
  work: (tenancy: Tenancy) => Promise<void>,
): Promise<void> {
  const over = new AbortController();
  const tenure = AbortSignal.any([signal, lease.lost, over.signal]);
  // Everything that the work consists of listens to it.
  setMaxListeners(0, tenure);
  const guard = untilTaken(keys, fence, tenure).then(() => over.abort());
  logger.info("leads", { key, fence: fence.modRevision });
  onChange(true);
  try {
    await work({ store: fenceStore(store, fence), signal: tenure });
    if (!tenure.aborted) throw new Error(`the work under "${key}" ended by itself`);
  } finally {
    over.abort();
    await guard;
    onChange(false);
    logger.info("leads no more", { key, fence: fence.modRevision });
    await giveBack(lease, [fence], logger);
  }
}

/** Resolves when the key is known to be held no more by this fence, e.g. because somebody deleted it, or at the end. */
async function untilTaken(keys: HeldKeys, { key, modRevision }: Fence, over: AbortSignal): Promise<void> {
  while (!over.aborted) {
    const { version } = keys.news;
    if (keys.knows(modRevision) && keys.entries.get(key)?.modRevision !== modRevision) return;
    await keys.news.since(version, over);
  }
}
