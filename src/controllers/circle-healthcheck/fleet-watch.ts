/** Fewer pools than this are never frozen: in a small installation everything may really be down, a count. */
const FREEZE_LEAST_POOLS = 10;
/** Fewer distinct targets than this are never frozen, a count. */
export const FREEZE_LEAST_TARGETS = 20;
/** Above this share of failing targets the checker, not the fleet, is held to be broken; 0-1. */
const FREEZE_SHARE = 0.5;
/** How long a target that went down still counts as one that was up, ms. */
export const FREEZE_WINDOW_MS = 10_000;

interface Watched {
  isUp: boolean;
  isFailing: boolean;
  wentDownMs: number;
}

/**
 * Notices when most of the fleet fails at once, which means that the checker has lost sight of it: then nothing may be
 * taken down. Of the targets that are up, or were until 10 s ago, more than half fail now; with `fall` of at least two and
 * equal intervals that is known before the first of them goes down.
 */
export class FleetWatch {
  readonly #targets = new Map<string, Watched>();
  readonly #recentlyDown: { readonly watched: Watched; readonly atMs: number }[] = [];
  #countedCount = 0;
  #failingCount = 0;

  /** Targets that count as being up or having been up lately, and those of them that fail: a count each. */
  get counts(): { readonly counted: number; readonly failing: number } {
    return { counted: this.#countedCount, failing: this.#failingCount };
  }

  /** Whether most of the fleet fails at once. */
  isFrozen(poolCount: number, nowMs: number): boolean {
    this.#forgetOld(nowMs);
    return (
      poolCount >= FREEZE_LEAST_POOLS &&
      this.#countedCount >= FREEZE_LEAST_TARGETS &&
      this.#failingCount > this.#countedCount * FREEZE_SHARE
    );
  }

  /** Notes a result, before it is judged, and the verdict that stood until then. */
  noteResult(key: string, passed: boolean, wasUp: boolean): void {
    const watched = this.#watched(key);
    this.#change(watched, () => {
      if (wasUp) watched.isUp = true;
      watched.isFailing = !passed;
    });
  }

  /** Notes that a target went up or down. */
  noteVerdict(key: string, isUp: boolean, nowMs: number): void {
    const watched = this.#watched(key);
    this.#change(watched, () => {
      watched.isUp = isUp;
      watched.wentDownMs = isUp ? Number.NEGATIVE_INFINITY : nowMs;
    });
    if (!isUp) this.#recentlyDown.push({ watched, atMs: nowMs });
  }

  /** Forgets a target that is probed no more. */
  remove(key: string): void {
    const watched = this.#targets.get(key);
    if (!watched) return;
    this.#change(watched, () => {
      watched.isUp = false;
      watched.wentDownMs = Number.NEGATIVE_INFINITY;
    });
    this.#targets.delete(key);
  }

  #watched(key: string): Watched {
    let watched = this.#targets.get(key);
    if (!watched) {
      watched = { isUp: false, isFailing: false, wentDownMs: Number.NEGATIVE_INFINITY };
      this.#targets.set(key, watched);
    }
    return watched;
  }

  #forgetOld(nowMs: number): void {
    for (
      let next = this.#recentlyDown[0];
      next && next.atMs <= nowMs - FREEZE_WINDOW_MS;
      next = this.#recentlyDown[0]
    ) {
      this.#recentlyDown.shift();
      const { watched, atMs } = next;
      if (watched.wentDownMs !== atMs) continue;
      this.#change(watched, () => {
        watched.wentDownMs = Number.NEGATIVE_INFINITY;
      });
    }
  }

  #change(watched: Watched, change: () => void): void {
    this.#count(watched, -1);
    change();
    this.#count(watched, 1);
  }

  #count(watched: Watched, by: 1 | -1): void {
    if (!watched.isUp && watched.wentDownMs === Number.NEGATIVE_INFINITY) return;
    this.#countedCount += by;
    if (watched.isFailing) this.#failingCount += by;
  }
}
