import { randomBytes } from "node:crypto";
import { hasCode, ParasausError } from "../../foundation/index.ts";
import { startAwakeTimeout } from "./awake-timeout.ts";
import type { Cluster } from "./cluster.ts";
import type { LeaseResponse } from "./lease-messages.ts";
import { type Member, SilentMember } from "./member.ts";
import { METHODS } from "./methods.ts";

const LEASE_ID = /^[0-9a-f]{1,16}$/;
const LARGEST_ID = 2n ** 63n - 1n;

/** The number that etcd knows a lease by; undefined where no lease can have this id. */
export function readLeaseId(leaseId: string): bigint | undefined {
  const id = LEASE_ID.test(leaseId) ? BigInt(`0x${leaseId}`) : 0n;
  return id > 0n && id <= LARGEST_ID ? id : undefined;
}

/** Makes a lease. The id is ours and random, so that a second attempt finds what the first one made. */
export async function grantLease(cluster: Cluster, ttlSeconds: number): Promise<string> {
  if (!(ttlSeconds > 0)) {
    throw new ParasausError(
      "BadRequest",
      `Cannot grant a lease of ${ttlSeconds} s: it must be longer than 0 s`,
    );
  }
  const leaseId = (randomBytes(8).readBigUInt64BE() & LARGEST_ID).toString(16);
  const request = { id: BigInt(`0x${leaseId}`), ttlSeconds: Math.ceil(ttlSeconds) };
  const about = { kind: "repeat", action: `grant a lease of ${ttlSeconds} s` } as const;
  await unless("AlreadyExists", cluster.call(METHODS.grant, request, about));
  return leaseId;
}

/** @returns false when the lease has expired. */
export async function keepLeaseAlive(cluster: Cluster, leaseId: string): Promise<boolean> {
  const id = readLeaseId(leaseId);
  if (id === undefined) return false;
  const { ttlSeconds } = await cluster.run({
    kind: "repeat",
    action: `keep the lease "${leaseId}" alive`,
    send: (member, timeoutMs) => askForLife(member, id, timeoutMs),
  });
  return ttlSeconds > 0;
}

/** Ends a lease; one that has ended already is no error. */
export async function revokeLease(cluster: Cluster, leaseId: string): Promise<void> {
  const id = readLeaseId(leaseId);
  if (id === undefined) return;
  const about = { kind: "repeat", action: `revoke the lease "${leaseId}"` } as const;
  await unless("NotFound", cluster.call(METHODS.revoke, { id }, about));
}

/** etcd keeps leases alive over streams only: one for one question. */
function askForLife(member: Member, id: bigint, timeoutMs: number): Promise<LeaseResponse> {
  const stream = member.stream(METHODS.keepAlive);
  let stopTimeout: () => void;
  return new Promise<LeaseResponse>((resolve, reject) => {
    stopTimeout = startAwakeTimeout(timeoutMs, () => reject(new SilentMember(timeoutMs)));
    stream.on("data", resolve);
    stream.on("error", reject);
    stream.on("end", () => reject(new Error("the member ended the stream without an answer")));
    stream.end({ id });
  }).finally(() => {
    stopTimeout();
    stream.cancel();
  });
}

async function unless(code: "AlreadyExists" | "NotFound", promise: Promise<unknown>): Promise<void> {
  try {
    await promise;
  } catch (failure) {
    if (!hasCode(failure, code)) throw failure;
  }
}
