import { ParasausError, systemClock } from "../../foundation/index.ts";
import { connect } from "../client/connection.ts";
import { formatSeconds } from "../output/age.ts";
import { EXIT } from "../output/errors.ts";
import { renderTable } from "../output/table.ts";
import { type Invocation, isSet, type Verb } from "../verb.ts";

/** `parasaus confirm`. */
export const confirm: Verb = {
  arguments: [
    { syntax: "[id]", description: "which change, as apply said (default: the only one that waits)" },
  ],
  options: [{ flags: "--list", description: "show what waits, and what became of the changes of a day" }],
  programs: ["client"],
  examples: [
    ["A change that is taken back unless it is confirmed", "parasaus apply --confirm-within 5m -f web.yaml"],
    ["It works: keep it", "parasaus confirm"],
    ["What waits, and until when", "parasaus confirm --list"],
  ],
  run: confirmChange,
};

/** A change that waits for a word, or got it lately. */
interface Confirmation {
  readonly id: string;
  readonly operator: string;
  /** RFC 3339. */
  readonly deadline: string;
  readonly state: "pending" | "confirmed" | "reverted";
  readonly objects: readonly { readonly kind: string; readonly namespace?: string; readonly name: string }[];
  readonly leftAlone?: readonly unknown[];
}

async function confirmChange(invocation: Invocation): Promise<number> {
  const { ask } = connect(invocation);
  const { stdout } = invocation.terminal;
  const list = async () =>
    (await ask<{ readonly items: readonly Confirmation[] }>("/api/confirmations")).items;
  if (isSet(invocation, "list")) {
    stdout.write(renderList(await list()));
    return EXIT.ok;
  }
  const id = invocation.arguments[0] ?? onlyPending(await list());
  const { objects } = await ask<Confirmation>(`/api/confirmations/${encodeURIComponent(id)}`, {});
  stdout.write(`${id} confirmed: ${objects.map(nameOf).join(", ")}\n`);
  return EXIT.ok;
}

/** @throws ParasausError `Usage` unless there is one */
function onlyPending(all: readonly Confirmation[]): string {
  const [first, ...more] = all.filter(({ state }) => state === "pending");
  if (!first) throw new ParasausError("Usage", "Cannot confirm: no change waits");
  if (more.length === 0) return first.id;
  const ids = [first, ...more].map(({ id }) => id).join(", ");
  throw new ParasausError("Usage", `Cannot confirm: several changes wait, name one of ${ids}`);
}

function renderList(all: readonly Confirmation[]): string {
  const nowMs = systemClock.now().getTime();
  const rows = all.map(({ id, operator, state, deadline, objects, leftAlone = [] }) => [
    ...[id, operator, leftAlone.length > 0 ? `${state}, ${leftAlone.length} left alone` : state],
    state === "pending" ? formatSeconds(Math.max(0, Math.ceil((Date.parse(deadline) - nowMs) / 1_000))) : "-",
    objects.map(nameOf).join(","),
  ]);
  return renderTable(["ID", "OPERATOR", "STATE", "LEFT", "OBJECTS"], rows);
}

function nameOf({ kind, namespace, name }: Confirmation["objects"][number]): string {
  return `${kind.toLowerCase()}/${namespace === undefined ? "" : `${namespace}/`}${name}`;
}
