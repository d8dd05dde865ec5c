import { ParasausError } from "../foundation/index.ts";
import type { KubeObject, ResourceDefinition } from "../model/index.ts";
import type { Selection } from "./resources.ts";

/** Decides whether an object is selected. */
export type Matcher = (object: KubeObject) => boolean;

/** What a selection comes down to. */
export interface CompiledSelection {
  /** Undefined when everything matches. */
  readonly matches: Matcher | undefined;
  /** The only name that can match, when the selection says so. */
  readonly name: string | undefined;
  /** What fields must be equal to, by path, as far as the field selector says so. */
  readonly required: ReadonlyMap<string, string>;
}

type Requirement =
  | { readonly kind: "in" | "notin"; readonly key: string; readonly values: readonly string[] }
  | { readonly kind: "exists" | "absent"; readonly key: string };

/**
 * Reads the selectors of a list or watch.
 *
 * @throws ParasausError `BadRequest` for a selector that cannot be read or names a field that cannot be selected by
 */
export function compileSelection(definition: ResourceDefinition, selection: Selection): CompiledSelection {
  const labels = parseLabelSelector(selection.labelSelector ?? "");
  const fields = parseFieldSelector(definition, selection.fieldSelector ?? "");
  const matchers: Matcher[] = [
    ...labels.map(
      (each): Matcher =>
        (object) =>
          isMet(each, object.metadata.labels?.[each.key]),
    ),
    ...fields.map(
      (each): Matcher =>
        (object) =>
          isMet(each, fieldOf(object, each.key)),
    ),
  ];
  const required = new Map(
    fields.flatMap((each): [string, string][] =>
      each.kind === "in" ? [[each.key, each.values[0] ?? ""]] : [],
    ),
  );
  return {
    matches: matchers.length === 0 ? undefined : (object) => matchers.every((matches) => matches(object)),
    name: required.get("metadata.name"),
    required,
  };
}

function isMet(requirement: Requirement, value: string | undefined): boolean {
  switch (requirement.kind) {
    case "in":
      return value !== undefined && requirement.values.includes(value);
    case "notin":
      return value === undefined || !requirement.values.includes(value);
    case "exists":
      return value !== undefined;
    case "absent":
      return value === undefined;
  }
}

/** A field that is absent counts as empty, as in Kubernetes. */
function fieldOf(object: KubeObject, path: string): string {
  let value: unknown = object;
  for (const part of path.split(".")) {
    if (typeof value !== "object" || value === null) return "";
    value = Object.hasOwn(value, part) ? Reflect.get(value, part) : undefined;
  }
  return typeof value === "object" || value === undefined ? "" : String(value);
}

const SET_REQUIREMENT = /^([^\s!=,()]+)\s+(in|notin)\s*\(([^()]*)\)$/;
const EQUALITY = /^([^\s!=,()]+)\s*(==?|!=)\s*([^\s!=,()]*)$/;
const EXISTENCE = /^(!?)\s*([^\s!=,()]+)$/;

/** Kubernetes' label selector: `a=b`, `a!=b`, `a in (b,c)`, `a notin (b)`, `a`, `!a`, joined by commas. */
function parseLabelSelector(text: string): Requirement[] {
  return splitOutsideParentheses(text).map((part) => {
    const set = SET_REQUIREMENT.exec(part);
    if (set) return setRequirement(set);
    const equality = parseEquality(part);
    if (equality) return equality;
    const existence = EXISTENCE.exec(part);
    if (existence) return { kind: existence[1] === "!" ? "absent" : "exists", key: existence[2] ?? "" };
    throw new ParasausError(
      "BadRequest",
      `Cannot read the label selector "${text}": "${part}" is no requirement`,
    );
  });
}

function setRequirement([, key = "", operator, values = ""]: RegExpExecArray): Requirement {
  const kind = operator === "in" ? "in" : "notin";
  return { kind, key, values: values.split(",").map((value) => value.trim()) };
}

function parseEquality(part: string): Requirement | undefined {
  const match = EQUALITY.exec(part);
  if (!match) return undefined;
  const [, key = "", operator, value = ""] = match;
  return { kind: operator === "!=" ? "notin" : "in", key, values: [value] };
}

function parseFieldSelector(definition: ResourceDefinition, text: string): Requirement[] {
  const selectable = ["metadata.name", "metadata.namespace", ...definition.selectableFields];
  return splitOutsideParentheses(text).map((part) => {
    const requirement = parseEquality(part);
    if (!requirement) {
      throw new ParasausError(
        "BadRequest",
        `Cannot read the field selector "${text}": "${part}" is no comparison`,
      );
    }
    if (selectable.includes(requirement.key)) return requirement;
    const fields = selectable.join(", ");
    const message = `field label not supported: "${requirement.key}" (${definition.kind} can be selected by ${fields})`;
    throw new ParasausError("BadRequest", message);
  });
}

function splitOutsideParentheses(text: string): string[] {
  if (text.trim() === "") return [];
  return text.split(/,(?![^()]*\))/).map((part) => part.trim());
}
