import type { Condition, KubeObject } from "../object.ts";
import type { Protocol } from "../pool/pool.ts";

/** A released connect address that nobody but the next pool of the same name gets for a while. */
export interface QuarantinedAddress {
  /** IP address, or `*` for every address of every node. */
  readonly ip: string;
  /** 1-65535. */
  readonly port: number;
  /** Last of the ports from `port` on, up to 65535; absent: `port` alone. */
  readonly lastPort?: number;
  readonly protocol: Protocol;
  /** `namespace/name` of the pool that had it. */
  readonly pool: string;
  /** RFC 3339. */
  readonly until: string;
}

/** Ranges of IPs and ports from which connect addresses are handed out. */
export interface AddressPool extends KubeObject {
  readonly apiVersion: "parasaus.io/v1";
  readonly kind: "AddressPool";
  readonly spec: {
    /** CIDRs, ranges, single addresses, or `node` (every address of every node). */
    readonly addresses: readonly string[];
    /** Ports or ranges, `30000-64999`. */
    readonly ports: readonly string[];
    /** Whether pools that name no address pool may take from it. Default true. */
    readonly autoAssign: boolean;
    /** Lower number first. Default 0. */
    readonly priority: number;
    /** How long a released connect address is kept back, seconds. Default 30. */
    readonly quarantineSeconds: number;
  };
  readonly status?: {
    /** Connect addresses in the pool (ports; one counts once for all protocols). */
    readonly capacity?: number;
    /** Connect addresses handed out. */
    readonly used?: number;
    /** Released connect addresses that are kept back; the latest 5,000. */
    readonly quarantine?: readonly QuarantinedAddress[];
    readonly conditions?: readonly Condition[];
  };
}
