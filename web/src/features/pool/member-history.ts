import type { Operation } from "../../../../src/model/operation/operation.ts";
import type { Pool, PoolMember } from "../../../../src/model/pool/pool.ts";

type MemberName = Pick<PoolMember, "ip" | "port">;

/** A member of a pool as it is written; undefined: it is none. */
export function memberIn(pool: unknown, { ip, port }: MemberName): PoolMember | undefined {
  const { spec } = (pool ?? {}) as Partial<Pool>;
  return (spec?.members ?? []).find((member) => member.ip === ip && member.port === port);
}

/** The operations on the pool itself that changed this member, and after which it had been there. */
export function operationsOn(operations: readonly Operation[], member: MemberName): readonly Operation[] {
  return operations.filter(({ spec }) => {
    const own = [spec, ...(spec.also ?? [])].find(({ object }) => object.kind === "Pool");
    if (!own || spec.verb === "create") return false;
    const [before, after] = [memberIn(own.before, member), memberIn(own.after, member)];
    return before !== undefined && JSON.stringify(before) !== JSON.stringify(after);
  });
}
