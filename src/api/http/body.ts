import { isAlias, isMap, isScalar, LineCounter, parseDocument, visit } from "yaml";
import { type FieldError, ParasausError } from "../../foundation/index.ts";
import { duplicateKeys } from "./duplicate-keys.ts";

const MAX_DEPTH = 64;
const MAX_ALIASES = 100;

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
 * @throws ParasausError `BadRequest` with line and column when it is malformed, has a key `__proto__`, or nests too deep
 */
export function parseBody(body: Buffer, format: "json" | "yaml"): ParsedBody {
  const text = body.toString("utf8");
  const parsed = format === "json" ? parseJson(text) : parseYaml(text);
  refuseHostile(parsed.value, 0);
  return parsed;
}

function parseJson(text: string): ParsedBody {
  try {
    const value: unknown = JSON.parse(text);
    const duplicates = duplicateKeys(text).map(
      (field): FieldError => ({
        field,
        reason: "FieldValueDuplicate",
        message: `the field "${field}" is given more than once`,
      }),
    );
    return { value, duplicates };
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new ParasausError("BadRequest", `Cannot read the body as JSON: ${locate(text, reason)}`, { cause });
  }
}

/** V8 gives the offset of a syntax error; people want line and column. */
function locate(text: string, reason: string): string {
  if (reason.includes("line ")) return reason;
  const offset = /position (\d+)/.exec(reason)?.[1];
  const before = text.slice(0, offset === undefined ? text.length : Number(offset)).split("\n");
  return `${reason} (line ${before.length}, column ${(before.at(-1)?.length ?? 0) + 1})`;
}

function parseYaml(text: string): ParsedBody {
  const lineCounter = new LineCounter();
  const document = parseDocument(text, { lineCounter, uniqueKeys: true, prettyErrors: true });
  const [problem] = document.errors;
  if (problem)
    throw new ParasausError("BadRequest", `Cannot read the body as YAML: ${problem.message.trim()}`);
  let aliases = 0;
  visit(document, (_key, node) => {
    if (isAlias(node)) aliases += 1;
    if (isMap(node) && node.items.some((pair) => isScalar(pair.key) && pair.key.value === "__proto__")) {
      throw hostileKey();
    }
  });
  if (aliases > MAX_ALIASES) {
    throw new ParasausError(
      "BadRequest",
      `Cannot read the body as YAML: it has more than ${MAX_ALIASES} aliases`,
    );
  }
  try {
    return { value: document.toJS({ maxAliasCount: MAX_ALIASES }), duplicates: [] };
  } catch (cause) {
    throw new ParasausError("BadRequest", "Cannot read the body as YAML: its aliases expand too far", {
      cause,
    });
  }
}

function refuseHostile(value: unknown, depth: number): void {
  if (typeof value !== "object" || value === null) return;
  if (depth > MAX_DEPTH) {
    throw new ParasausError("BadRequest", `Cannot read the body: it nests deeper than ${MAX_DEPTH} levels`);
  }
  for (const key of Object.keys(value)) {
    if (key === "__proto__") throw hostileKey();
    refuseHostile((value as Readonly<Record<string, unknown>>)[key], depth + 1);
  }
}

function hostileKey(): ParasausError {
  return new ParasausError("BadRequest", 'Cannot read the body: the key "__proto__" is not allowed');
}
