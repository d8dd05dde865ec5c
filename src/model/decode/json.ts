import { ParasausError } from "../../foundation/index.ts";

/** What a JSON text says. */
export interface DecodedJson {
  readonly value: unknown;
  /** Paths of keys that one object gives twice; the last one counts, as everywhere. */
  readonly duplicateFields: readonly string[];
}

const DEPTH_LIMIT = 256;
const REPORT_LIMIT = 20;

/**
 * Reads JSON and finds the duplicate keys that `JSON.parse` passes over.
 *
 * @throws ParasausError `BadRequest` for malformed or too deeply nested JSON
 */
export function decodeJson(text: string): DecodedJson {
  const duplicateFields = scan(text);
  try {
    return { value: JSON.parse(text) as unknown, duplicateFields };
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new ParasausError("BadRequest", `Cannot read JSON: ${why.slice(0, 200)}`, { cause });
  }
}

/** One open object or list while scanning. */
interface Level {
  /** Keys seen so far; absent for a list. */
  readonly keys?: Set<string>;
  readonly path: string;
  /** Last key of an object, index in a list. */
  at: string | number;
  /** In an object: whether the next text is a key. */
  awaitsKey: boolean;
}

/** Strings and structural characters; numbers and words between them do not matter here. */
const TOKEN = /"(?:[^"\\]|\\.)*"|[{}[\],:]/g;

/** Walks the tokens of well-formed JSON; of malformed JSON anything, since `JSON.parse` refuses it afterwards. */
function scan(text: string): string[] {
  const duplicates: string[] = [];
  const levels: Level[] = [];
  for (const [token] of text.matchAll(TOKEN)) {
    if (token === "{" || token === "[") open(levels, token);
    else if (token === "}" || token === "]") levels.pop();
    else if (token !== ":") step(levels.at(-1), token, duplicates);
  }
  return duplicates;
}

/** A comma or a text inside an open object or list. */
function step(level: Level | undefined, token: string, duplicates: string[]): void {
  if (level && token === ",") next(level);
  else if (level?.awaitsKey) readKey(level, token, duplicates);
}

function open(levels: Level[], token: "{" | "["): void {
  const parent = levels.at(-1);
  const path = parent ? pathAt(parent) : "";
  levels.push(
    token === "{" ? { keys: new Set(), path, at: "", awaitsKey: true } : { path, at: 0, awaitsKey: false },
  );
  if (levels.length > DEPTH_LIMIT) {
    throw new ParasausError(
      "BadRequest",
      `Cannot read JSON: it is nested more than ${DEPTH_LIMIT} levels deep`,
    );
  }
}

function pathAt({ path, at }: Level): string {
  if (typeof at === "number") return `${path}[${at}]`;
  return path === "" ? at : `${path}.${at}`;
}

function next(level: Level): void {
  if (typeof level.at === "number") level.at += 1;
  else level.awaitsKey = true;
}

function readKey(level: Level, token: string, duplicates: string[]): void {
  const key = unquote(token);
  level.at = key;
  level.awaitsKey = false;
  if (level.keys?.has(key) && duplicates.length < REPORT_LIMIT) duplicates.push(pathAt(level));
  level.keys?.add(key);
}

/** `"a"` and `"\u0061"` are one key. */
function unquote(token: string): string {
  if (!token.includes("\\")) return token.slice(1, -1);
  try {
    return String(JSON.parse(token));
  } catch {
    // Malformed: JSON.parse of the whole text says so, and better.
    return token;
  }
}
