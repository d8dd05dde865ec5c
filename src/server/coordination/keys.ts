/** `<name>` is held by whoever leads in it. */
export const LEADERS_PREFIX = "/parasaus/leaders/";

/** Everything that servers hold under a lease. */
export const HELD_PREFIXES = [LEADERS_PREFIX] as const;
