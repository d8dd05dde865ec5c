import { type Draft, valueAt } from "./draft.ts";

/** What a change does to live traffic. */
export interface Effect {
  readonly kind: "address" | "removed" | "added" | "drained" | "cut";
  /** `ip:port`, where one is meant. */
  readonly member: string;
}

const ADDRESSING = ["spec.addressPool", "spec.ip", "spec.port", "spec.protocol"];

/** What a change of a pool does to traffic, beyond where new connections go. */
export function effectsOf(before: Draft, after: Draft): readonly Effect[] {
  const moved = ADDRESSING.some((path) => valueAt(before, path) !== valueAt(after, path));
  const [old, current] = [statesOf(before), statesOf(after)];
  const members = [...new Set([...old.keys(), ...current.keys()])].flatMap((member): Effect[] => {
    const kind = memberEffect(old.get(member), current.get(member));
    return kind ? [{ kind, member }] : [];
  });
  return [...(moved ? [{ kind: "address", member: "" } as const] : []), ...members];
}

function memberEffect(before: string | undefined, after: string | undefined): Effect["kind"] | undefined {
  if (before === after) return undefined;
  if (after === undefined) return "removed";
  if (before === undefined) return "added";
  if (after === "maint") return "cut";
  return after === "drain" ? "drained" : "added";
}

function statesOf(draft: Draft): Map<string, string> {
  const members = valueAt(draft, "spec.members");
  if (!Array.isArray(members)) return new Map();
  return new Map(
    (members as Draft[]).map(({ ip, port, state }) => [
      `${String(ip)}:${String(port)}`,
      String(state ?? "ready"),
    ]),
  );
}
