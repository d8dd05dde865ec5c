/** `<controller>` is held by the server that leads in it. */
export const LEADERS_PREFIX = "/parasaus/leaders/";

/** `<server>` is held by each server that takes a share of the work. */
export const SERVERS_PREFIX = "/parasaus/servers/";

/** `<work>/<n>` is held by the server that works on shard n. */
export const SHARDS_PREFIX = "/parasaus/shards/";

/** Everything that servers hold under a lease. */
export const HELD_PREFIXES = [LEADERS_PREFIX, SERVERS_PREFIX, SHARDS_PREFIX] as const;
