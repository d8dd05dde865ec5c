import { type FieldError, ParasausError } from "../../foundation/index.ts";
import { decodeJson, decodeYaml } from "../../model/index.ts";

/** A request body, parsed. */
export interface ParsedBody {
  readonly value: unknown;
  /** Keys that one object had twice; only the last of each is in `value`. */
  readonly duplicates: readonly FieldError[];
}

/** The media type of a Content-Type header, lower case, without parameters. */
export function mediaTypeOf(header: string | undefined): string {
  return (header ?? "").split(";")[0]?.trim().toLowerCase() ?? "";
}

/**
 * Reads a body as JSON or YAML.
 *
 * @throws ParasausError `BadRequest` when it is malformed (with the place), holds more than one document, has a key
 * `__proto__`, or nests too deep
 */
export function parseBody(body: Buffer, format: "json" | "yaml"): ParsedBody {
  const text = body.toString("utf8");
  const parsed = format === "json" ? parseJson(text) : parseYaml(text);
  refuseHostileKeys(parsed.value);
  return parsed;
}

function parseJson(text: string): ParsedBody {
  try {
    const { value, duplicateFields } = decodeJson(text);
    return { value, duplicates: duplicateFields.map(duplicateOf) };
  } catch (failure) {
    const found = failure instanceof ParasausError ? OFFSET.exec(failure.message) : null;
    if (!found || !(failure instanceof ParasausError)) throw failure;
    const message = failure.message.replace(OFFSET, ` at ${placeOf(text, Number(found[1]))}`);
    throw new ParasausError("BadRequest", message, { cause: failure });
  }
}

/** V8 gives the offset of a syntax error, since Node 22 with a place behind it; people want line and column alone. */
const OFFSET = / at position (\d+)(?: \(line \d+ column \d+\))?/;

function placeOf(text: string, offset: number): string {
  const before = text.slice(0, offset).split("\n");
  return `line ${before.length}, column ${(before.at(-1)?.length ?? 0) + 1}`;
}

function parseYaml(text: string): ParsedBody {
  const [first, second] = decodeYaml(text);
  if (second) throw new ParasausError("BadRequest", "Cannot read YAML: a request holds one document");
  return { value: first?.value, duplicates: [] };
}

function duplicateOf(field: string): FieldError {
  return { field, reason: "FieldValueDuplicate", message: `the field "${field}" is given more than once` };
}

function refuseHostileKeys(value: unknown): void {
  if (typeof value !== "object" || value === null) return;
  for (const [key, inner] of Object.entries(value)) {
    if (key === "__proto__") {
      throw new ParasausError("BadRequest", 'Cannot read the body: the key "__proto__" is not allowed');
    }
    refuseHostileKeys(inner);
  }
}
