import { FLOW } from "../layout.ts";
import type { Verdict } from "../programs.ts";

/** What the programs did with one packet, and what the kernel held. */
export interface Outcome {
  readonly sent: Buffer;
  readonly hook: "ingress" | "egress";
  /** Addressed to the device's own MAC address, and not merely forwarded by the node when it leaves. */
  readonly isForUs: boolean;
  readonly verdict: Verdict;
  /** The packet afterwards. */
  readonly got: Buffer;
  /** By how much each drop counter has risen. */
  readonly drops: Readonly<Record<string, number>>;
  readonly isService: (key: Buffer) => boolean;
  /** Entries of the flow table, before the packet and after it. */
  readonly before: (key: Buffer) => Buffer | undefined;
  readonly after: (key: Buffer) => Buffer | undefined;
  /** A member's flags. */
  readonly flagsOf: (member: number) => number;
}

export function readMember(entry: Buffer): number {
  return readU32(entry, FLOW.offsets.member);
}

/** Destination and source, where the flow knows its next hop. */
export function macsOf(entry: Buffer): Buffer | undefined {
  const { ifindex, next_mac: at } = FLOW.offsets;
  return readU32(entry, ifindex) === 0 ? undefined : entry.subarray(at, at + 12);
}

/** In the CPU's byte order, wherever it lies. */
export function readU32(bytes: Buffer, at: number): number {
  const aligned = new Uint32Array(1);
  new Uint8Array(aligned.buffer).set(bytes.subarray(at, at + 4));
  return aligned[0] ?? 0;
}
