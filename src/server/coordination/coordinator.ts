import type { Authority } from "../../controllers/index.ts";
import type { Clock, Logger } from "../../foundation/index.ts";
import type { LocalResources } from "../../resources/local/index.ts";
import type { Store } from "../../store/index.ts";
import type { ProcessMetrics } from "../metrics/registry.ts";
import { followHeldKeys } from "./held-keys.ts";
import { LEADERS_PREFIX, SERVERS_PREFIX, SHARDS_PREFIX } from "./keys.ts";
import { leadWhileHeld, type Tenancy } from "./lead.ts";
import { joinServers } from "./membership.ts";
import { News } from "./news.ts";
import { shardOfPool } from "./shards.ts";
import { shareWork } from "./share.ts";

/** What coordinating with the other servers needs. */
export interface CoordinatorOptions {
  readonly store: Store;
  readonly resources: LocalResources;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly metrics: Pick<ProcessMetrics, "gauge">;
  /** In [0, 1). */
  readonly random: () => number;
  /** This server among all of them. */
  readonly serverId: string;
  /** After this time without a sign of life the others take over its work, seconds. */
  readonly leaseSeconds: number;
}

/** This server among the others on the same store. Disposing it, once its work has ended, lets the others go on. */
export interface Coordinator extends Authority, AsyncDisposable {
  /** Like `lead`, for work on the store itself. */
  leadOnStore(name: string, work: (tenancy: Tenancy) => Promise<void>, signal: AbortSignal): Promise<void>;
}

/** Joins the servers on a store. */
export function startCoordinator(options: CoordinatorOptions): Coordinator {
  const { resources, metrics } = options;
  const membership = joinServers(options);
  const ending = new AbortController();
  const follow = (prefix: string, news = new News()) =>
    followHeldKeys({ ...options, prefix, news, signal: ending.signal });
  const leaders = follow(LEADERS_PREFIX);
  const servers = follow(SERVERS_PREFIX);
  const shards = follow(SHARDS_PREFIX, servers.news);
  const leading = metrics.gauge("parasaus_leader", "1 while this server leads in it.", ["controller"]);
  const holding = metrics.gauge("parasaus_shards_held", "Shards that this server works on.", ["work"]);
  const leadOnStore: Coordinator["leadOnStore"] = (name, work, signal) => {
    const onChange = (isHeld: boolean) => leading({ controller: name }, isHeld ? 1 : 0);
    onChange(false);
    const key = LEADERS_PREFIX + name;
    return leadWhileHeld({ ...options, membership, keys: leaders, key, onChange, signal }, work);
  };
  return {
    resources,
    leadOnStore,
    lead: (name, work, signal) =>
      leadOnStore(
        name,
        (tenancy) => work({ resources: resources.through(tenancy.store), signal: tenancy.signal }),
        signal,
      ),
    share: (name, worker, signal) => {
      const onCount = (heldCount: number) => holding({ work: name }, heldCount);
      onCount(0);
      return shareWork({ ...options, membership, name, servers, shards, onCount, signal }, worker);
    },
    shardOf: shardOfPool,
    [Symbol.asyncDispose]: async () => {
      ending.abort();
      const followed = [leaders, servers, shards].map(({ ended }) => ended);
      await Promise.all([membership[Symbol.asyncDispose](), ...followed]);
    },
  };
}
