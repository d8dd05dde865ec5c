import { hasCode } from "../../foundation/index.ts";
import type { Cluster } from "./cluster.ts";
import { readRevision } from "./reads.ts";
import type { WatchState } from "./watch-state.ts";

/** What the cluster said when it was asked. */
export type Probe =
  | { readonly kind: "probed"; readonly revision: number }
  | { readonly kind: "unprobed"; readonly failure: unknown };

/**
 * What a probe says about a stream.
 *
 * - `quiet`: nothing worth telling.
 * - `progress`: it is as far as it says, and that is news.
 * - `stalled`: it is behind and silent, at two probes in a row.
 */
export type Verdict = "quiet" | "progress" | "stalled";

/** Compares a stream with its cluster, for which other members answer too. */
export class Watchdog {
  readonly #cluster: Cluster;
  readonly #state: WatchState;
  #isHeard = false;
  #suspected: number | undefined;
  #checking: number | undefined;
  #told = 0;

  constructor(cluster: Cluster, state: WatchState) {
    this.#cluster = cluster;
    this.#state = state;
  }

  /** Whether the stream was behind, and silent, at the last probe. */
  get isSuspicious(): boolean {
    return this.#suspected !== undefined;
  }

  /** The stream said something. */
  hear(): void {
    this.#isHeard = true;
  }

  /** Asks for the cluster's revision, and whether what was not proven until now can still be read. */
  async ask(): Promise<Probe> {
    if (this.#isHeard) this.#suspected = undefined;
    this.#isHeard = false;
    this.#checking = this.#state.unproven;
    this.#state.unproven = undefined;
    try {
      const at = this.#checking === undefined ? undefined : this.#checking - 1;
      return { kind: "probed", revision: await readRevision(this.#cluster, at) };
    } catch (failure) {
      return { kind: "unprobed", failure };
    }
  }

  /** @throws ParasausError `Expired` when history is forgotten up to what was delivered, so that some may be missing */
  judge(probe: Probe): Verdict {
    const { next } = this.#state;
    if (probe.kind === "unprobed") {
      if (!hasCode(probe.failure, "Unavailable")) throw probe.failure;
      this.#state.unproven = this.#checking ?? this.#state.unproven;
      return "quiet";
    }
    const isBehind = probe.revision >= next;
    const wasSuspected = this.#suspected === next;
    this.#suspected = isBehind && !this.#isHeard ? next : undefined;
    if (this.#suspected !== undefined) return wasSuspected ? "stalled" : "quiet";
    const isNews = next - 1 > this.#told || !isBehind;
    this.#told = next - 1;
    return isNews ? "progress" : "quiet";
  }
}
