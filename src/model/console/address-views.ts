import type { Protocol } from "../pool/pool.ts";

/** How full an address pool is, in blocks of neighbouring connect addresses. */
export interface AddressPoolUse {
  readonly name: string;
  readonly addresses: readonly string[];
  readonly ports: readonly string[];
  readonly autoAssign: boolean;
  /** How long a released connect address is kept back, seconds. */
  readonly quarantineSeconds: number;
  /** Connect addresses that it has, held, and kept back: counts. */
  readonly capacityCount: number;
  readonly usedCount: number;
  readonly quarantinedCount: number;
  /** Connect addresses in each block, the last one aside: a count. */
  readonly blockSizeCount: number;
  /** In order, without a gap. */
  readonly blocks: readonly AddressBlock[];
}

/** Neighbouring connect addresses. */
export interface AddressBlock {
  /** `*:30000`, the first of them. */
  readonly first: string;
  readonly last: string;
  /** How many of them there are, are held and are kept back: counts. */
  readonly sizeCount: number;
  readonly usedCount: number;
  readonly quarantinedCount: number;
}

/** All address pools, by name. */
export interface AddressPoolList {
  readonly pools: readonly AddressPoolUse[];
}

/** A connect address that somebody has, or had until lately. */
export interface AddressRow {
  /** IP address, or `*` for every address of every node. */
  readonly ip: string;
  /** 1-65535. */
  readonly port: number;
  /** Last of the ports from `port` on, up to 65535; absent: `port` alone. */
  readonly lastPort?: number;
  readonly protocol: Protocol;
  readonly namespace: string;
  readonly pool: string;
  /** RFC 3339: since when it is held; empty where nobody knows, and while it is kept back. */
  readonly since: string;
  /** RFC 3339: until when it is kept back; absent: it is held. */
  readonly until?: string;
}

/** A part of the connect addresses of an address pool. */
export interface AddressPage {
  /** Those that the search and the block leave, a count. */
  readonly matchCount: number;
  /** Place of the first row among them, a count from 0. */
  readonly offsetCount: number;
  /** In the order of the address pool. */
  readonly rows: readonly AddressRow[];
}
