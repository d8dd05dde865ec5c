import type { Resources } from "../../resources/index.ts";

/** The right to do one piece of work. Several servers may want it; one has it at a time. */
export interface Tenure {
  /** The objects. A write in the name of a right that has gone to another server is refused with `FenceLost`. */
  readonly resources: Resources;
  /** Aborts when the right may be lost: nothing more may be begun. */
  readonly signal: AbortSignal;
}

/** The right to work on one share of all pools. */
export interface ShardTenure extends Tenure {
  /** Number of the shard, an index from 0. */
  readonly shard: number;
  /** None of its former holders can have written anything after this one, a decimal number. */
  readonly resourceVersion: string;
}

/** Work that is spread over the servers, shard by shard. */
export interface ShardWorker {
  /** Begins to work on a shard that this process has not. */
  begin(tenure: ShardTenure): void;
  /**
   * Ends the work on a shard.
   *
   * @param isLost Whether writing in its name is over; otherwise what is still to be written may be.
   * @returns a promise that resolves when nothing is under way in the name of the shard; never rejects.
   */
  end(shard: number, isLost: boolean): Promise<void>;
}

/** Where controllers get the right to work from. */
export interface Authority {
  /** The objects, to read them without being the leader in anything. */
  readonly resources: Resources;
  /**
   * Does `work` while this process leads in `name`, anew each time that it comes to lead, until the signal aborts.
   *
   * @param name One word for the work, by which all servers know it.
   * @param work Ends after its tenure's signal has aborted; the right is given back then.
   * @throws what `work` throws
   */
  lead(name: string, work: (tenure: Tenure) => Promise<void>, signal: AbortSignal): Promise<void>;
  /**
   * Spreads the work on pools over all processes that share in `name`, until the signal aborts.
   *
   * @param worker Told which shards are this process's, one after the other.
   */
  share(name: string, worker: ShardWorker, signal: AbortSignal): Promise<void>;
  /** The shard that a pool belongs to, an index from 0. @param poolKey `namespace/name` */
  shardOf(poolKey: string): number;
}

/** For a process that is the only one to run controllers: it always leads, and has everything in one shard. */
export function soleAuthority(resources: Resources): Authority {
  return {
    resources,
    lead: (_name, work, signal) => work({ resources, signal }),
    share: async (_name, worker, signal) => {
      worker.begin({ resources, signal, shard: 0, resourceVersion: "0" });
      await new Promise<void>((resolve) => {
        if (signal.aborted) resolve();
        signal.addEventListener("abort", () => resolve(), { once: true });
      });
      await worker.end(0, false);
    },
    shardOf: () => 0,
  };
}
