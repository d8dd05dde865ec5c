import { slotTable } from "../../scheduling/index.ts";
import type { ProgrammedMember, ProgrammedPool } from "../driver.ts";
import { comparePlaces } from "../order.ts";
import { LAYOUT } from "./layout.ts";
import type { PoolPolicy } from "./rows.ts";
import { words } from "./words.ts";

/** Whether a member stands in its pool's table. */
function takesNewFlows(member: ProgrammedMember): boolean {
  return member.disposition === "active" && member.weight > 0;
}

/**
 * The slots of a pool: what its scheduler picks from.
 *
 * @param indexOf Row of `member` of each member that takes new flows.
 */
export function encodeTable(
  policy: PoolPolicy,
  members: ProgrammedPool["members"],
  indexOf: (member: ProgrammedMember) => number,
): Buffer {
  const { slot: SLOT } = LAYOUT;
  const eligible = members.filter(takesNewFlows).sort(comparePlaces);
  if (eligible.length === 0) return Buffer.alloc(0);
  const rows = eligible.map((member) => ({ index: indexOf(member), weight: member.weight }));
  const table = slotTable(policy.scheduler, eligible);
  const bytes = Buffer.alloc(table.length * SLOT.size);
  for (let place = 0; place < table.length; place += 1) {
    const row = rows[table[place] ?? 0];
    words.writeU32(bytes, row?.index ?? 0, place * SLOT.size + SLOT.member);
    words.writeU32(bytes, row?.weight ?? 0, place * SLOT.size + SLOT.weight);
  }
  return bytes;
}
