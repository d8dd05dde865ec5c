import type { FieldProblem } from "../../lib/api.ts";
import type { Draft } from "./draft.ts";
import type { Field } from "./fields.ts";

/** What every part of the form is given. */
export interface FormProps {
  readonly draft: Draft;
  readonly problems: readonly FieldProblem[];
  readonly isNew: boolean;
  readonly onChange: (draft: Draft) => void;
}

/** A value as text, a list with commas. */
export function written(value: unknown): string {
  return Array.isArray(value) ? value.join(", ") : String(value ?? "");
}

/** What was typed, as a value; what is no number stays text, for the server to name. */
export function read(text: string, kind: Field["kind"]): unknown {
  if (text === "") return undefined;
  if (kind === "number") return /^\d+$/.test(text) ? Number(text) : text;
  return kind === "list" ? text.split(",").map((each) => each.trim()) : text;
}
