import { ParasausError } from "../../foundation/index.ts";
import { parsePointer, readAt, type WriteMode, writeAt } from "./json-pointer.ts";
import { countNodes, equalJson, isObject, type JsonObject, ownField } from "./json-value.ts";

const OPERATION_LIMIT = 10_000;
const VERBS = ["add", "remove", "replace", "move", "copy", "test"];

/**
 * Applies a JSON patch: all operations or, when one fails, none.
 *
 * @throws ParasausError `BadRequest` for what is no patch; `Invalid` when an operation cannot be applied or a test
 * fails; `TooLarge` for too many operations
 * @see RFC 6902
 */
export function applyJsonPatch(target: unknown, patch: unknown): unknown {
  if (!Array.isArray(patch)) {
    throw new ParasausError("BadRequest", "Cannot apply JSON patch: it must be a list of operations");
  }
  if (patch.length > OPERATION_LIMIT) {
    throw new ParasausError(
      "TooLarge",
      `Cannot apply JSON patch: ${patch.length} operations, at most ${OPERATION_LIMIT} are allowed`,
    );
  }
  return patch.reduce<unknown>(
    (document, operation, index) => applyOperation(document, operation, index),
    target,
  );
}

function applyOperation(document: unknown, operation: unknown, index: number): unknown {
  const fields: JsonObject = isObject(operation) ? operation : {};
  const verb = ownField(fields, "op");
  const where = `operation ${index} (${JSON.stringify(verb)} ${JSON.stringify(ownField(fields, "path"))})`;
  const path = parsePointer(ownField(fields, "path"));
  if (typeof verb !== "string" || !VERBS.includes(verb) || !path)
    throw malformed(where, "op and path are needed");
  const after =
    verb === "move" || verb === "copy"
      ? transfer(document, fields, verb, path, where)
      : change(document, fields, verb, path, where);
  if (after !== undefined) return after;
  throw inapplicable(where, "there is no such place");
}

function change(
  document: unknown,
  fields: JsonObject,
  verb: string,
  path: readonly string[],
  where: string,
): unknown {
  const value = ownField(fields, "value");
  if (verb !== "remove" && value === undefined) throw malformed(where, "value is needed");
  if (verb !== "test") return writeAt(document, path, verb as WriteMode, value);
  const found = readAt(document, path);
  if (found === undefined || !equalJson(found, value)) throw inapplicable(where, "the test failed");
  return document;
}

function transfer(
  document: unknown,
  fields: JsonObject,
  verb: "move" | "copy",
  path: readonly string[],
  where: string,
): unknown {
  const from = parsePointer(ownField(fields, "from"));
  if (!from) throw malformed(where, "from is needed");
  const value = readAt(document, from);
  if (value === undefined)
    throw inapplicable(where, `there is nothing at ${JSON.stringify(ownField(fields, "from"))}`);
  if (verb === "copy") return copy(document, path, value);
  if (from.length < path.length && from.every((key, index) => key === path[index])) {
    throw inapplicable(where, "a value cannot be moved into itself");
  }
  return writeAt(writeAt(document, from, "remove"), path, "add", value);
}

/** Copies of copies double what there is with every operation; hence the count. */
function copy(document: unknown, path: readonly string[], value: unknown): unknown {
  const after = writeAt(document, path, "add", value);
  countNodes(after);
  return after;
}

function malformed(where: string, why: string): ParasausError {
  return new ParasausError("BadRequest", `Cannot apply JSON patch: ${where}: ${why}`);
}

function inapplicable(where: string, why: string): ParasausError {
  return new ParasausError("Invalid", `Cannot apply JSON patch: ${where}: ${why}`);
}
