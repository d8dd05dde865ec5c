import { hash } from "node:crypto";
import type { ProgrammedPool } from "./driver.ts";
import { inPlaceOrder } from "./order.ts";

const MODULUS = 2n ** 64n;
/** Hexadecimal digits of the 64 bits. */
const DIGEST_DIGITS = 16;

/**
 * One pool's part of the table hash: 64 bits over what serves (addresses that are open; members with weight and
 * disposition, except draining ones, whose deadlines differ from node to node). 0 for a pool that only drains.
 */
export function poolDigest(pool: ProgrammedPool): bigint {
  const open = pool.addresses.filter((address) => address.closingDeadlineMs === undefined);
  if (open.length === 0) return 0n;
  const text = JSON.stringify([
    pool.scheduler,
    pool.forwarding,
    pool.affinitySeconds,
    inPlaceOrder(open).map(({ ip, port, protocol, lastPort }) => [
      ...[ip, port, protocol],
      ...(lastPort === undefined ? [] : [lastPort]),
    ]),
    inPlaceOrder(pool.members.filter((member) => member.disposition !== "draining")).map(
      ({ ip, port, weight, disposition }) => [ip, port, weight, disposition],
    ),
    // What few pools have is left out for the others, so that agents before and after an upgrade agree on those.
    ...(pool.affinityPrefixLength === undefined ? [] : [{ affinityPrefixLength: pool.affinityPrefixLength }]),
    ...(pool.isOnePacket ? [{ isOnePacket: true }] : []),
    ...(pool.guePort === undefined ? [] : [{ guePort: pool.guePort }]),
  ]);
  return BigInt(`0x${hash("sha256", text).slice(0, DIGEST_DIGITS)}`);
}

/** Adds a pool's new digest to the sum of all and takes its old one out. */
export function replaceDigest(sum: bigint, before: bigint, after: bigint): bigint {
  return (sum - before + after + MODULUS) % MODULUS;
}

/** The hash as Node.status shows it: 16 hexadecimal digits. */
export function formatTableHash(sum: bigint): string {
  return sum.toString(16).padStart(16, "0");
}

/**
 * Hash over the content that the kernel holds: equal on nodes that hold the same, whatever their indexes, uids, order
 * and deadlines. It is the sum of the pools' digests, so that one change costs one pool.
 */
export function tableHash(observed: readonly ProgrammedPool[]): string {
  return formatTableHash(observed.reduce((sum, pool) => replaceDigest(sum, 0n, poolDigest(pool)), 0n));
}
