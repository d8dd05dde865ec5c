import { backoffMs, type Clock, hasCode, type Logger } from "../../foundation/index.ts";
import { Retention } from "../retention.ts";
import type {
  RangeOptions,
  RangeResult,
  Store,
  StoreCondition,
  StoreEntry,
  StoreWatchMessage,
  StoreWrite,
  TransactionResult,
} from "../store.ts";
import type { EtcdTls } from "./channel-credentials.ts";
import { Cluster } from "./cluster.ts";
import { followCluster } from "./follow-cluster.ts";
import { keepTls } from "./keep-tls.ts";
import { grantLease, keepLeaseAlive, revokeLease } from "./leases.ts";
import { Member } from "./member.ts";
import { METHODS } from "./methods.ts";
import { readKey, readRange, readRevision } from "./reads.ts";
import { transact } from "./transaction.ts";

const COMPACTION_INTERVAL_MS = 30_000;
const OPENING = { action: "open the store", patienceMs: 500 };
const OPENING_BACKOFF = { baseMs: 500, maxMs: 5_000 };

/** Where and how an etcd cluster is reached. */
export interface EtcdStoreOptions {
  /** `host:port` of each member. */
  readonly endpoints: readonly string[];
  /** What connections are secured with, asked for again every few seconds; absent: plain text. */
  readonly readTls?: () => EtcdTls;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly random: () => number;
  /** Aborts waiting for a cluster that does not answer. */
  readonly signal?: AbortSignal;
  /** Told each time that the cluster did not answer while opening. */
  readonly onWaiting?: (reason: string) => void;
}

/**
 * Opens a store on an etcd cluster (3.4 or newer); waits as long as no member answers, and says so in the log.
 *
 * Reads ask the cluster's majority; a member that does not answer within a second is given up for another one. A write
 * is sent again only when it is certain that it did not happen. Where that is not certain (the connection broke or the
 * second was over while it was on its way) `transact` rejects with `Unavailable`, "outcome unknown": it may have happened,
 * or may still. The caller reads before it tries again; a condition on `modRevision` keeps a second try from doing harm.
 *
 * Certificates that `readTls` gives later count for new connections; those that cannot be used count for none.
 *
 * @throws ParasausError `Usage` when certificate or key cannot be used, `Unavailable` when the signal aborts first
 */
export async function openEtcdStore(options: EtcdStoreOptions): Promise<Store> {
  const { endpoints, clock, random, logger, readTls } = options;
  const tls = readTls?.();
  const members = endpoints.map((endpoint) => new Member(endpoint, tls));
  const cluster = new Cluster({ members, clock, random, logger });
  if (readTls && tls) void keepTls({ members, readTls, clock, logger, signal: cluster.closed }, tls);
  try {
    const revision = await waitForCluster(cluster, options);
    logger.info("store opened", { etcd: endpoints.join(","), revision });
    return new EtcdStore(cluster, options);
  } catch (failure) {
    cluster.close();
    throw failure;
  }
}

async function waitForCluster(cluster: Cluster, options: EtcdStoreOptions): Promise<number> {
  const { clock, random, logger, signal, onWaiting } = options;
  for (let attempt = 0; ; attempt += 1) {
    try {
      return await readRevision(cluster, undefined, OPENING);
    } catch (failure) {
      if (!hasCode(failure, "Unavailable") || signal?.aborted) throw failure;
      const waitMs = backoffMs(attempt, { ...OPENING_BACKOFF, random });
      logger.warn("waiting for etcd", { reason: failure.message, waitMs });
      onWaiting?.(failure.message);
      await clock.sleep(waitMs, signal).catch(() => undefined);
    }
  }
}

class EtcdStore implements Store {
  readonly #cluster: Cluster;
  readonly #options: EtcdStoreOptions;
  readonly #forgetting: Promise<void>;

  constructor(cluster: Cluster, options: EtcdStoreOptions) {
    this.#cluster = cluster;
    this.#options = options;
    this.#forgetting = this.#forget();
  }

  revision(): Promise<number> {
    return readRevision(this.#cluster);
  }

  get(key: string): Promise<StoreEntry | undefined> {
    return readKey(this.#cluster, key);
  }

  range(prefix: string, options: RangeOptions = {}): Promise<RangeResult> {
    return readRange(this.#cluster, prefix, options);
  }

  transact(conditions: readonly StoreCondition[], writes: readonly StoreWrite[]): Promise<TransactionResult> {
    return transact(this.#cluster, conditions, writes);
  }

  watch(prefix: string, fromRevision: number, signal: AbortSignal): AsyncIterable<StoreWatchMessage> {
    return followCluster({ ...this.#options, cluster: this.#cluster }, prefix, fromRevision, signal);
  }

  grantLease(ttlSeconds: number): Promise<string> {
    return grantLease(this.#cluster, ttlSeconds);
  }

  keepLeaseAlive(leaseId: string): Promise<boolean> {
    return keepLeaseAlive(this.#cluster, leaseId);
  }

  revokeLease(leaseId: string): Promise<void> {
    return revokeLease(this.#cluster, leaseId);
  }

  async compact(revision: number): Promise<void> {
    const about = { kind: "repeat", action: `compact to revision ${revision}` } as const;
    try {
      await this.#cluster.call(METHODS.compact, { revision }, about);
    } catch (failure) {
      // Somebody, perhaps this very request's first attempt, has compacted further already.
      if (!hasCode(failure, "Expired")) throw failure;
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#cluster.close();
    await this.#forgetting;
  }

  /** etcd keeps all history until somebody compacts it. Every server may: to compact twice is to compact once. */
  async #forget(): Promise<void> {
    const { clock, logger } = this.#options;
    const { closed } = this.#cluster;
    const retention = new Retention();
    while (!closed.aborted) {
      try {
        const oldest = retention.observe(await this.revision(), clock.monotonicMs());
        if (oldest > 1) await this.compact(oldest);
      } catch (error) {
        if (!closed.aborted) logger.warn("history not compacted", { error });
      }
      await clock.sleep(COMPACTION_INTERVAL_MS, closed).catch(() => undefined);
    }
  }
}
