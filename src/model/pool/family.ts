import { familyOfIp, type IpFamily } from "../../foundation/index.ts";
import type { PoolSpec } from "./pool.ts";

/** The family of a pool: of the address that it asks for, else of its first member; undefined: either would do. */
export function familyOfPool({ ip, members }: Pick<PoolSpec, "ip" | "members">): IpFamily | undefined {
  const told = ip ?? members[0]?.ip;
  return told === undefined ? undefined : familyOfIp(told);
}
