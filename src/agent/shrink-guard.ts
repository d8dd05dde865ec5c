import { createHash } from "node:crypto";
import type { Clock, Logger } from "../foundation/index.ts";
import type { HeldShrink } from "../model/index.ts";

/** Withdrawals within this time are judged together, milliseconds. */
const WINDOW_MS = 10_000;
/** As many pools may always go, a count. */
const FREE_COUNT = 10;
/** And this share of all, percent. */
const FREE_PERCENT = 30;

/** What a snapshot file keeps of a shrink that is held. */
export type KeptShrink = Pick<HeldShrink, "since" | "ofPoolCount">;

/** Whether so many pools are too many to go without a word; exactly at both limits they may go. */
function isSuspicious(goneCount: number, ofCount: number): boolean {
  return goneCount > FREE_COUNT && goneCount * 100 > ofCount * FREE_PERCENT;
}

/**
 * Decides whether pools may go that nobody was seen to delete: a list lacks them, or they went without being marked for
 * deletion first, as no request to the API makes them go. Too many at once are held back until an operator confirms it or
 * they come back; while some are held, so is every further one.
 *
 * @template Kept What is needed to bring back a pool that went within the time that is judged together.
 */
export class ShrinkGuard<Kept> {
  readonly #clock: Clock;
  readonly #logger: Logger;
  readonly #recent = new Map<string, { readonly kept: Kept; readonly atMs: number }>();
  readonly #held = new Set<string>();
  #begun: KeptShrink | undefined;
  #id: string | undefined;

  constructor(clock: Clock, logger: Logger) {
    this.#clock = clock;
    this.#logger = logger;
  }

  /** What is held now; absent when nothing is. */
  get shrink(): HeldShrink | undefined {
    if (!this.#begun || this.#held.size === 0) return undefined;
    this.#id ??= idOf(this.#begun.since, this.#held);
    return { id: this.#id, poolCount: this.#held.size, ...this.#begun };
  }

  holds(uid: string): boolean {
    return this.#held.has(uid);
  }

  /** Goes on holding what was held when a snapshot was written. */
  restore(uids: readonly string[], kept: KeptShrink): void {
    this.#begun = kept;
    this.#add(uids);
  }

  /**
   * Judges pools that are to go without a word.
   *
   * @param leaving Those of them that serve and are not held yet.
   * @param servingCount Pools that serve now, these included.
   * @returns whether they may go; if not, `back` are pools that went just before, to be brought back
   */
  judge(
    leaving: ReadonlyMap<string, Kept>,
    servingCount: number,
  ): { readonly mayGo: boolean; readonly back: ReadonlyMap<string, Kept> } {
    const nowMs = this.#clock.monotonicMs();
    for (const [uid, { atMs }] of this.#recent) if (nowMs - atMs >= WINDOW_MS) this.#recent.delete(uid);
    const ofPoolCount = servingCount + this.#recent.size;
    const isHeld = this.#held.size > 0 || isSuspicious(leaving.size + this.#recent.size, ofPoolCount);
    if (!isHeld) {
      for (const [uid, kept] of leaving) this.#recent.set(uid, { kept, atMs: nowMs });
      return { mayGo: true, back: new Map() };
    }
    const back = new Map([...this.#recent].map(([uid, { kept }]) => [uid, kept]));
    this.#recent.clear();
    if (this.#held.size === 0) this.#begin(leaving.size + back.size, ofPoolCount);
    this.#add([...leaving.keys(), ...back.keys()]);
    return { mayGo: false, back };
  }

  /** The pool is there again, or was deleted as it should be. */
  release(uid: string): void {
    this.#recent.delete(uid);
    if (!this.#held.delete(uid)) return;
    this.#id = undefined;
    if (this.#held.size === 0) this.#logger.info("no withdrawal of pools is held any more");
  }

  /** An operator says that what goes by this id may go. @returns the pools, none when it is not what is held now */
  confirm(id: string): readonly string[] {
    if (this.shrink?.id !== id) return [];
    const uids = [...this.#held];
    this.#logger.warn("withdrawal of pools confirmed", { id, pools: uids.length });
    this.#held.clear();
    this.#id = undefined;
    return uids;
  }

  #begin(poolCount: number, ofPoolCount: number): void {
    this.#begun = { since: this.#clock.now().toISOString(), ofPoolCount };
    this.#logger.error("withdrawal of pools held until somebody confirms it", {
      pools: poolCount,
      of: ofPoolCount,
    });
  }

  #add(uids: readonly string[]): void {
    for (const uid of uids) this.#held.add(uid);
    this.#id = undefined;
  }
}

/** Names exactly these pools, held since then: what was confirmed once does not confirm anything else. */
function idOf(since: string, uids: ReadonlySet<string>): string {
  const text = [since, ...[...uids].sort()].join("\n");
  return createHash("sha256").update(text).digest("hex").slice(0, 12);
}
