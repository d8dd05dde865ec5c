/** `<controller>` is held by the server that leads in it. */
export const LEADERS_PREFIX = "/parasaus/leaders/";

/** What one server at a time does: a key for each under the leaders' prefix. */
export const LED_WORK = [
  "allocator",
  "circle-watch",
  "confirmations",
  "garbage-collector",
  "node-silence",
  "operation-trimmer",
] as const;

/** `<server>` is held by each server that takes a share of the work. */
export const SERVERS_PREFIX = "/parasaus/servers/";

/** `<work>/<n>` is held by the server that works on shard n. */
export const SHARDS_PREFIX = "/parasaus/shards/";

/** Everything that servers hold under a lease. */
export const HELD_PREFIXES = [LEADERS_PREFIX, SERVERS_PREFIX, SHARDS_PREFIX] as const;
