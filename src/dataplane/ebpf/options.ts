import type { Clock, Logger } from "../../foundation/index.ts";

/** Which programs on this node reach pools without a packet ever leaving: none, the node's own, every one, one cgroup's. */
export type LocalClients = "off" | "host" | "pods" | { readonly cgroup: string };

/**
 * Whether another driver forwards on this node too: it has connections that began before (`drains`), or takes what is
 * new (`serves`). What belongs to it passes the programs.
 */
export type OtherDriver = "none" | "drains" | "serves";

/** Rows of the kernel's tables. Those that exist already keep their size. */
export interface EbpfCapacities {
  /** Entries of the flow table; a flow takes two. Default 1,048,576. */
  readonly flowCount: number;
  /** Half-open flows; beyond, the oldest makes room. Default 65,536. */
  readonly halfOpenCount: number;
  /** Slots of all scheduler tables together. Default 1,048,576. */
  readonly slotCount: number;
  /** Default 131,072. */
  readonly memberCount: number;
  /** Default 65,536; as many connect addresses. */
  readonly poolCount: number;
}

/** Idle times after which a flow ends, milliseconds. */
export interface EbpfTimeouts {
  /** Default 7,800 s: longer than TCP's keep-alive of two hours. */
  readonly establishedMs: number;
  /** Default 15 s. */
  readonly halfOpenMs: number;
  /** One side has closed. Default 60 s. */
  readonly closingMs: number;
  /**
   * Both have. Default 70 s: a member's TIME_WAIT of 60 s ends up to 5 s late (granularity of the kernel's timer wheel),
   * and a source port that comes free before it does costs the next client a SYN.
   */
  readonly closedMs: number;
  /** UDP. Default 120 s. */
  readonly datagramMs: number;
}

/** How the node forwards. */
export interface EbpfDriverOptions {
  /** Name of the node: its pins are apart from those of another agent on the same machine. */
  readonly node: string;
  /** The object file, `parasaus.bpf.o`. */
  readonly objectFile: string;
  /** Default `/sys/fs/bpf/parasaus`. */
  readonly pinRoot?: string;
  /** Names of devices, or every Ethernet device that there is and will be. Default auto. */
  readonly devices?: "auto" | readonly string[];
  /** Default host. */
  readonly localClients?: LocalClients;
  /** Where cgroup2 is mounted. Default: looked up. */
  readonly cgroupRoot?: string;
  /** fullnat: addresses to send from, IPv4; default the node's own towards each member. At most 14. */
  readonly sourceAddresses?: readonly string[];
  /** fullnat: first and last source port; default 1024-29999, or 1024-65535 with `sourceAddresses`. */
  readonly sourcePorts?: { readonly firstPort: number; readonly lastPort: number };
  /** Default: as the kernel has it. */
  readonly otherDriver?: OtherDriver;
  readonly capacities?: Partial<EbpfCapacities>;
  readonly timeouts?: Partial<EbpfTimeouts>;
  readonly logger: Logger;
  readonly clock: Clock;
}

export const DEFAULT_CAPACITIES: EbpfCapacities = {
  flowCount: 1_048_576,
  halfOpenCount: 65_536,
  slotCount: 1_048_576,
  memberCount: 131_072,
  poolCount: 65_536,
};

export const DEFAULT_TIMEOUTS: EbpfTimeouts = {
  establishedMs: 7_800_000,
  halfOpenMs: 15_000,
  closingMs: 60_000,
  closedMs: 70_000,
  datagramMs: 120_000,
};
