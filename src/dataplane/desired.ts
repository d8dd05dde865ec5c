import { familyOfIp, type IpFamily, ParasausError } from "../foundation/index.ts";
import { type ConnectAddress, familyOfPool, type Pool } from "../model/index.ts";
import { decideForwarding } from "../scheduling/index.ts";
import type { DesiredPool, FlowPolicy } from "./driver.ts";
import { bareAddress } from "./order.ts";

/** A pool translated for the kernel, and what the next translation of it has to know. */
export interface PoolTranslation {
  readonly desired: DesiredPool;
  /** Health is being ignored because too few members are up. */
  readonly isFailingOpen: boolean;
}

/**
 * Translates a Pool object into what the kernel shall hold. A pool that is being deleted or has no connect address is
 * given no addresses: what remains of it in the kernel drains.
 *
 * @param wasFailingOpen `isFailingOpen` of the translation before this one.
 * @throws ParasausError `Invalid` when the object has no uid
 */
export function desiredPoolOf(pool: Pool, wasFailingOpen = false): PoolTranslation {
  const { spec, status, metadata } = pool;
  if (!metadata.uid)
    throw new ParasausError("Invalid", `Cannot program pool "${metadata.name}": it has no uid`);
  const isGone = metadata.deletionTimestamp !== undefined;
  const decision = decideForwarding({ spec, statuses: status?.members ?? [], wasFailingOpen });
  return {
    isFailingOpen: decision.isFailingOpen,
    desired: {
      uid: metadata.uid,
      addresses: isGone ? [] : addressesOf(pool),
      scheduler: spec.scheduler,
      forwarding: spec.forwarding,
      ...(spec.guePort === undefined ? {} : { guePort: spec.guePort }),
      ...affinityOf(pool),
      ...(spec.onePacketScheduling ? { isOnePacket: true as const } : {}),
      drainSeconds: spec.drainSeconds,
      members: decision.members,
    },
  };
}

/** By family, bits of an address. */
const WHOLE_ADDRESS: Readonly<Record<IpFamily, number>> = { 4: 32, 6: 128 };

/** An address of the other family serves nobody: the allocator is about to replace it. */
function addressesOf({ spec, status }: Pool): readonly ConnectAddress[] {
  const given = status?.connectAddresses ?? [];
  const [first] = spec.members;
  const family = first && familyOfIp(first.ip);
  return given.filter(({ ip }) => family === undefined || (familyOfIp(ip) ?? 4) === family).map(bareAddress);
}

function affinityOf({ spec, status }: Pool): Pick<FlowPolicy, "affinitySeconds" | "affinityPrefixLength"> {
  const { type, timeoutSeconds, prefixLength } = spec.sessionAffinity;
  if (type === "None") return { affinitySeconds: 0 };
  const family = familyOfPool(spec) ?? familyOfIp(status?.connectAddresses?.[0]?.ip ?? "") ?? 4;
  const isWhole = prefixLength === undefined || prefixLength >= WHOLE_ADDRESS[family];
  return { affinitySeconds: timeoutSeconds, ...(isWhole ? {} : { affinityPrefixLength: prefixLength }) };
}
