/** What one server does for all of them. */
export interface ServerWork {
  readonly id: string;
  /** Work in which it leads. */
  readonly leads: readonly string[];
  /** Shards of the health checks that it holds, a count. */
  readonly shardCount: number;
}

/** How the work is divided among the servers: what `GET /internal/v1/servers` answers. */
export interface ServersOverview {
  readonly servers: readonly ServerWork[];
  /** Work in which nobody leads now. */
  readonly unled: readonly string[];
  /** Shards of the health checks that nobody holds now, a count. */
  readonly freeShardCount: number;
}
