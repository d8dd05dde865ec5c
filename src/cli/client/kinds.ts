import { ParasausError } from "../../foundation/index.ts";
import { DEFINITIONS, findDefinition, type ResourceDefinition } from "../../model/index.ts";

/** What `KIND`, `KIND/NAME` or `KIND NAME...` on the command line mean. */
export interface Target {
  readonly definition: ResourceDefinition;
  /** Absent: all objects of the kind. */
  readonly name?: string;
}

/** `pool.parasaus.io/web`, as every verb prints it. */
export function qualifiedName(definition: ResourceDefinition, name: string): string {
  return `${definition.singular}${definition.group === "" ? "" : `.${definition.group}`}/${name}`;
}

/**
 * Reads the positional arguments of `get`, `describe`, `delete`.
 *
 * @throws ParasausError `Usage` for an unknown kind, with the kinds that exist
 */
export function readTargets(words: readonly string[]): readonly Target[] {
  const [first, ...names] = words;
  if (first === undefined) throw new ParasausError("Usage", "Cannot go on: no kind was given");
  if (words.some((word) => word.includes("/"))) return words.map(readSlashed);
  const definitions = first.split(",").flatMap(definitionsOf);
  if (names.length === 0) return definitions.map((definition) => ({ definition }));
  return definitions.flatMap((definition) => names.map((name) => ({ definition, name })));
}

function readSlashed(word: string): Target {
  const [kind, name, ...rest] = word.split("/");
  const [definition] = definitionsOf(kind ?? "");
  if (!definition || !name || rest.length > 0) {
    throw new ParasausError("Usage", `Cannot read "${word}": expected KIND/NAME`);
  }
  return { definition, name };
}

/** Every definition that a word names: a kind in any of its spellings, `pools.parasaus.io`, or a category. */
function definitionsOf(word: string): readonly ResourceDefinition[] {
  const [name = "", ...suffix] = word.toLowerCase().split(".");
  const group = suffix.join(".").replace(/^v1\./, "");
  const named = findDefinition(name, group === "" ? undefined : group);
  if (named) return [named];
  const inCategory = DEFINITIONS.filter(({ categories }) => categories.includes(word.toLowerCase()));
  if (inCategory.length > 0) return inCategory;
  const known = DEFINITIONS.map(({ plural }) => plural).join(", ");
  throw new ParasausError("Usage", `Cannot find kind "${word}": there are ${known}`);
}
