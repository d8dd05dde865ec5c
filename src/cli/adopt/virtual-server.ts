import type { Protocol } from "../../model/index.ts";

/** A virtual service as LVS's tools describe it, before it becomes a pool. */
export interface VirtualServer {
  /** Where it was read: `line 12`, `real.conf line 3`. */
  readonly where: string;
  readonly protocol: Protocol;
  readonly ip: string;
  /** 1-65535. */
  readonly port: number;
  /** As the kernel calls it. */
  readonly scheduler: string;
  /** How long a client stays with its member, seconds; absent = it does not. */
  readonly affinitySeconds?: number;
  /** Leading bits of the client's address that decide which client it is; absent = all. */
  readonly affinityPrefixLength?: number;
  /** Each datagram is scheduled by itself. */
  readonly isOnePacket?: true;
  readonly healthCheck: AdoptedCheck;
  readonly members: readonly AdoptedMember[];
}

/** A real server. */
export interface AdoptedMember {
  readonly where: string;
  readonly ip: string;
  /** 1-65535. */
  readonly port: number;
  /** Any, as LVS has them. */
  readonly weight: number;
  readonly forwarding: AdoptedForwarding;
}

/** LVS's masquerading, direct routing and tunnelling. */
export type AdoptedForwarding = "nat" | "dsr" | "tunnel";

/** `spec.healthCheck` of the pool, as far as it is known. */
export interface AdoptedCheck {
  readonly type?: "http" | "https" | "tcp" | "none";
  readonly interval?: string;
  readonly fastInterval?: string;
  readonly timeout?: string;
  /** A count, 1-100. */
  readonly rise?: number;
  /** A count, 1-100. */
  readonly fall?: number;
  readonly initialState?: "unchecked" | "up";
  /** 1-65535. */
  readonly port?: number;
  readonly http?: { readonly path?: string; readonly host?: string; readonly expect?: readonly string[] };
}

/** Takes down a setting that has no counterpart: where it is, and what is left out. */
export type Warn = (where: string, message: string) => void;
