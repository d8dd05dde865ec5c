import type { AilingMember, Pool } from "../../model/index.ts";
import { verdictsOf } from "./pool-summary.ts";

/** The members of a pool that are down, why and since when, in the order of the spec. */
export function downMembersOf(pool: Pool): readonly AilingMember[] {
  const { spec, status } = pool;
  const statuses = new Map((status?.members ?? []).map((member) => [`${member.ip}:${member.port}`, member]));
  const verdicts = verdictsOf(pool);
  return spec.members.flatMap(({ ip, port, state = "ready" }, index) => {
    const verdict = verdicts[index] ?? "unchecked";
    const known = statuses.get(`${ip}:${port}`);
    if (verdict !== "down") return [];
    return [{ ip, port, verdict, state, reason: known?.reason ?? "", since: known?.since ?? "" }];
  });
}
