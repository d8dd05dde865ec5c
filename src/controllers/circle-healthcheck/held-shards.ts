import type { ShardTenure } from "../runtime/authority.ts";

interface HeldShard {
  readonly tenure: ShardTenure;
  isSettled: boolean;
}

/** What settling a shard takes. */
export interface HeldShardsOptions {
  /**
   * Learns everything that was written up to a resourceVersion: a shard that moves keeps its verdicts, so that all that its
   * former holders wrote has to be known first.
   *
   * @returns false when there is no more work to begin
   */
  readonly catchUp: (resourceVersion: string) => Promise<boolean>;
  /** Takes up the pools of shards that are settled. */
  readonly onSettled: (tenures: ReadonlySet<ShardTenure>) => void;
}

/** The shards of this process. Their pools are worked on once they are settled, those of one moment together. */
export class HeldShards {
  readonly #options: HeldShardsOptions;
  readonly #shards = new Map<number, HeldShard>();
  #settling: Promise<void> | undefined;

  constructor(options: HeldShardsOptions) {
    this.#options = options;
  }

  /** The right to work on the pools of a shard, once it is settled. */
  tenureOf(shard: number): ShardTenure | undefined {
    const held = this.#shards.get(shard);
    return held?.isSettled ? held.tenure : undefined;
  }

  add(tenure: ShardTenure): void {
    this.#shards.set(tenure.shard, { tenure, isSettled: false });
    this.#settling ??= this.#settle().finally(() => {
      this.#settling = undefined;
    });
  }

  /** @returns the tenure, if the shard was settled */
  remove(shard: number): ShardTenure | undefined {
    const tenure = this.tenureOf(shard);
    this.#shards.delete(shard);
    return tenure;
  }

  async #settle(): Promise<void> {
    // Those that begin in the same turn of the event loop are settled together.
    await Promise.resolve();
    for (let begun = this.#unsettled(); begun.length > 0; begun = this.#unsettled()) {
      if (!(await this.#options.catchUp(latestOf(begun)))) return;
      const current = begun.filter((held) => this.#shards.get(held.tenure.shard) === held);
      for (const held of current) held.isSettled = true;
      this.#options.onSettled(new Set(current.map(({ tenure }) => tenure)));
    }
  }

  #unsettled(): HeldShard[] {
    return [...this.#shards.values()].filter(({ isSettled }) => !isSettled);
  }
}

function latestOf(shards: readonly HeldShard[]): string {
  const versions = shards.map(({ tenure }) => BigInt(tenure.resourceVersion));
  return String(versions.reduce((latest, version) => (version > latest ? version : latest), 0n));
}
