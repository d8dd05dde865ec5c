import type { MemberRow } from "../../../../src/model/console/pool-views.ts";

/** What can be done with a member: its three states, another weight, or that it goes. */
export type MemberAction = "ready" | "drain" | "maint" | "weight" | "remove";

interface MemberChange {
  readonly member: Pick<MemberRow, "ip" | "port">;
  /** Its place in the spec. */
  readonly index: number;
  readonly action: MemberAction;
  /** For `weight`. */
  readonly weight: number;
  /** For `drain`: how long its flows may go on. */
  readonly drainSeconds: number;
}

/** A JSON patch that changes one member, and nothing when another one stands in its place by now. */
export function memberPatch({
  member,
  index,
  action,
  weight,
  drainSeconds,
}: MemberChange): readonly object[] {
  const path = `/spec/members/${index}`;
  const isStillThere = [
    { op: "test", path: `${path}/ip`, value: member.ip },
    { op: "test", path: `${path}/port`, value: member.port },
  ];
  switch (action) {
    case "remove":
      return [...isStillThere, { op: "remove", path }];
    case "weight":
      return [...isStillThere, { op: "add", path: `${path}/weight`, value: weight }];
    case "drain":
      return [
        ...isStillThere,
        { op: "add", path: `${path}/drainSeconds`, value: drainSeconds },
        { op: "add", path: `${path}/state`, value: action },
      ];
    default:
      return [...isStillThere, { op: "add", path: `${path}/state`, value: action }];
  }
}
