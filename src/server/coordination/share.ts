import { setMaxListeners } from "node:events";
import type { ShardWorker } from "../../controllers/index.ts";
import { backoffMs, type Clock, hasCode, type Logger } from "../../foundation/index.ts";
import type { LocalResources } from "../../resources/local/index.ts";
import { type Fence, fenceStore, type HeldLease, type Store } from "../../store/index.ts";
import { giveBack } from "./give-back.ts";
import type { HeldKeys } from "./held-keys.ts";
import { SERVERS_PREFIX, SHARDS_PREFIX } from "./keys.ts";
import type { Membership } from "./membership.ts";
import { preferredServer, SHARD_COUNT } from "./shards.ts";
import { takeWhenFree } from "./take-when-free.ts";

const ALL_SHARDS = Array.from({ length: SHARD_COUNT }, (_, shard) => shard);
const RETRY = { baseMs: 100, maxMs: 2_000 };

/** What sharing work needs. */
export interface ShareOptions {
  readonly store: Store;
  readonly resources: LocalResources;
  readonly membership: Membership;
  /** One word for the work. */
  readonly name: string;
  readonly serverId: string;
  /** The servers that share, and who holds which shard; both tell their changes to the same news. */
  readonly servers: HeldKeys;
  readonly shards: HeldKeys;
  readonly clock: Clock;
  readonly logger: Logger;
  /** In [0, 1). */
  readonly random: () => number;
  /** Told how many shards this server holds. */
  readonly onCount: (heldCount: number) => void;
  readonly signal: AbortSignal;
}

/** Works on the shards that are meant for this server, as soon as nobody else does, until the signal aborts. */
export async function shareWork(options: ShareOptions, worker: ShardWorker): Promise<void> {
  const { membership, signal } = options;
  while (!signal.aborted) {
    const lease = await membership.lease(signal);
    if (lease) await new Share(options, lease, worker).run();
  }
}

interface Held {
  readonly fence: Fence;
  readonly end: AbortController;
}

/** This server's part of the work under one lease. */
class Share {
  readonly #options: ShareOptions;
  readonly #lease: HeldLease;
  readonly #worker: ShardWorker;
  readonly #over: AbortSignal;
  readonly #held = new Map<number, Held>();
  readonly #prefix: string;

  constructor(options: ShareOptions, lease: HeldLease, worker: ShardWorker) {
    this.#options = options;
    this.#lease = lease;
    this.#worker = worker;
    this.#prefix = `${SHARDS_PREFIX}${options.name}/`;
    this.#over = AbortSignal.any([options.signal, lease.lost]);
    // Every shard listens to it.
    setMaxListeners(0, this.#over);
  }

  async run(): Promise<void> {
    const { serverId, servers, logger } = this.#options;
    const seat = { ...this.#options, key: SERVERS_PREFIX + serverId, keys: servers, signal: this.#over };
    const fence = await takeWhenFree(seat, this.#lease);
    if (!fence) return;
    await this.#follow(fence);
    // First the seat: while this server has one, the others leave its shards to it.
    await giveBack(this.#lease, [fence], logger);
    await this.#leave([...this.#held.keys()]);
    this.#tell(this.#lease.lost.aborted ? "shards lost" : "shards given back");
  }

  /** Until it is over, or somebody takes the seat away. */
  async #follow(seat: Fence): Promise<void> {
    const { servers, clock, random } = this.#options;
    for (let attempt = 0; !this.#over.aborted; ) {
      const { version } = servers.news;
      const entry = servers.entries.get(seat.key);
      if (servers.knows(seat.modRevision) && entry?.modRevision !== seat.modRevision) return;
      if (await this.#adjust()) {
        attempt = 0;
        await servers.news.since(version, this.#over);
      } else {
        await clock.sleep(backoffMs(attempt, { ...RETRY, random }), this.#over).catch(() => undefined);
        attempt += 1;
      }
    }
  }

  /** Takes what is meant for this server and free, gives back what is meant for another. @returns whether all went well */
  async #adjust(): Promise<boolean> {
    const { servers, serverId } = this.#options;
    const ids = [...servers.entries.keys()].map((key) => key.slice(SERVERS_PREFIX.length));
    if (!ids.includes(serverId)) return true;
    const before = this.#held.size;
    const isMeantForUs = (shard: number) => preferredServer(shard, ids) === serverId;
    const taken = [...this.#held.keys()].filter((shard) => this.#isTaken(shard));
    const unwanted = [...this.#held.keys()].filter((shard) => !taken.includes(shard) && !isMeantForUs(shard));
    const free = ALL_SHARDS.filter((shard) => isMeantForUs(shard) && this.#isFree(shard));
    const took = await Promise.all([
      this.#leave(taken, true),
      this.#leave(unwanted),
      ...free.map((shard) => this.#take(shard)),
    ]);
    if (this.#held.size !== before) this.#tell("shards changed");
    // What was taken away by hand is free again.
    return taken.length === 0 && took.every((wentWell) => wentWell);
  }

  #isFree(shard: number): boolean {
    return !this.#held.has(shard) && !this.#options.shards.entries.has(this.#prefix + shard);
  }

  /** Whether the key of a shard that this server works on is known to have gone to somebody else, or to nobody. */
  #isTaken(shard: number): boolean {
    const { shards } = this.#options;
    const { key, modRevision } = this.#held.get(shard)?.fence ?? { key: "", modRevision: 0 };
    return shards.knows(modRevision) && shards.entries.get(key)?.modRevision !== modRevision;
  }

  async #take(shard: number): Promise<boolean> {
    const { store, resources, logger } = this.#options;
    try {
      const fence = await this.#lease.take(this.#prefix + shard);
      if (!fence) return true;
      const end = new AbortController();
      this.#held.set(shard, { fence, end });
      if (this.#over.aborted) return true;
      this.#worker.begin({
        shard,
        resources: resources.through(fenceStore(store, fence)),
        signal: AbortSignal.any([this.#over, end.signal]),
        resourceVersion: resources.resourceVersionAt(fence.modRevision),
      });
      return true;
    } catch (error) {
      if (!hasCode(error, "FenceLost")) logger.debug("shard not taken, trying again", { shard, error });
      return false;
    }
  }

  /** @param areTaken Whether somebody has taken the keys away already. */
  async #leave(shards: readonly number[], areTaken = false): Promise<boolean> {
    const isLost = areTaken || this.#lease.lost.aborted;
    const left = await Promise.all(
      shards.map(async (shard) => {
        const held = this.#held.get(shard);
        held?.end.abort();
        await this.#worker.end(shard, isLost);
        this.#held.delete(shard);
        return held ? [held.fence] : [];
      }),
    );
    if (!isLost) await giveBack(this.#lease, left.flat(), this.#options.logger);
    return true;
  }

  #tell(event: string): void {
    const { logger, onCount, servers, name } = this.#options;
    onCount(this.#held.size);
    logger.info(event, { work: name, held: this.#held.size, servers: servers.entries.size });
  }
}
