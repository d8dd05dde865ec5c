/** Every scheduler, by the name that LVS gives it. No driver but `ipvs` has them all. */
export const SCHEDULER_NAMES = [
  ...(["rr", "wrr", "lc", "wlc", "sh", "mh"] as const),
  ...(["dh", "sed", "nq", "fo", "ovf", "twos", "lblc", "lblcr"] as const),
] as const;

/** How a new flow picks a member. */
export type SchedulerName = (typeof SCHEDULER_NAMES)[number];

/** Every forwarding mode. No driver but `ipvs` has `dsr` and `tunnel`. */
export const FORWARDING_MODES = ["fullnat", "nat", "dsr", "tunnel"] as const;

/** What happens to the packet on its way to the member. */
export type ForwardingMode = (typeof FORWARDING_MODES)[number];
