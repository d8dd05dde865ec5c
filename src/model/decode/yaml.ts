import { Composer, type CST, type Document, Lexer, LineCounter, Parser, type YAMLError } from "yaml";
import { ParasausError } from "../../foundation/index.ts";
import { decodeJson } from "./json.ts";
import { KUBECTL_SCALARS } from "./kubectl-scalars.ts";

/** One document of a YAML stream. */
export interface DecodedDocument {
  readonly value: unknown;
  /** Line that the document begins at, from 1. */
  readonly line: number;
}

/** Bounds of what is read. */
export interface DecodeLimits {
  /** Longest text, in UTF-16 code units. Default 3 Mi, as Kubernetes' API server. */
  readonly maxLength?: number;
}

const DEFAULT_MAX_LENGTH = 3 * 1024 * 1024;
/** Expansions of aliases in one document; real files have a handful. */
const MAX_ALIAS_COUNT = 100;
const DEPTH_LIMIT = 100;

/**
 * Reads a stream of YAML documents as kubectl does; documents without content are left out.
 *
 * @throws ParasausError `BadRequest` with the line for malformed YAML, duplicate keys, excessive aliases or nesting;
 * `TooLarge` for a text above the limit
 */
export function decodeYaml(text: string, limits: DecodeLimits = {}): DecodedDocument[] {
  const maxLength = limits.maxLength ?? DEFAULT_MAX_LENGTH;
  if (text.length > maxLength) {
    throw new ParasausError(
      "TooLarge",
      `Cannot read YAML: it has ${text.length} characters, at most ${maxLength} are read`,
    );
  }
  return documentOfJson(text) ?? documentsOfYaml(text);
}

/** JSON is YAML, and read far faster as what it is. What is wrong with it, the YAML reader says with the line. */
function documentOfJson(text: string): DecodedDocument[] | undefined {
  const start = text.search(/\S/);
  if (text[start] !== "{") return undefined;
  try {
    const { value, duplicateFields } = decodeJson(text);
    const line = text.slice(0, start).split("\n").length;
    return duplicateFields.length > 0 ? undefined : [{ value, line }];
  } catch {
    return undefined;
  }
}

function documentsOfYaml(text: string): DecodedDocument[] {
  const lineCounter = new LineCounter();
  const found: DecodedDocument[] = [];
  // One document at a time: the tree of a whole stream takes fifty times the memory of its values.
  for (const document of documentsOf(text, lineCounter)) {
    const problem = document.errors[0];
    if (problem) throw malformed(problem, text, lineCounter);
    const line = lineCounter.linePos(document.contents?.range?.[0] ?? 0).line;
    const value = toValue(document, line);
    if (value !== null && value !== undefined) found.push({ value, line });
  }
  return found;
}

function documentsOf(text: string, lineCounter: LineCounter): Generator<Document.Parsed> {
  const composer = new Composer({
    version: "1.2",
    schema: "core",
    merge: true,
    resolveKnownTags: false,
    uniqueKeys: true,
    lineCounter,
    logLevel: "error",
    customTags: (tags) => [...KUBECTL_SCALARS, ...tags],
  });
  return composer.compose(boundedTokens(text, lineCounter));
}

/**
 * Tokens of the text, as long as it is not nested too deeply. Reading tokens needs no stack, but what comes after
 * recurses into them, and Node dies when it compiles a regular expression at the end of its stack.
 */
function* boundedTokens(text: string, lineCounter: LineCounter): Generator<CST.Token> {
  const parser = new Parser(lineCounter.addNewLine);
  lineCounter.addNewLine(0);
  for (const lexeme of new Lexer().lex(text)) {
    yield* parser.next(lexeme);
    if (parser.stack.length <= DEPTH_LIMIT) continue;
    const { line } = lineCounter.linePos(parser.offset);
    throw new ParasausError(
      "BadRequest",
      `Cannot read YAML: line ${line}: nested more than ${DEPTH_LIMIT} levels deep`,
    );
  }
  yield* parser.end();
}

function toValue(document: Document.Parsed, line: number): unknown {
  try {
    return document.toJS({ maxAliasCount: MAX_ALIAS_COUNT });
  } catch (cause) {
    throw new ParasausError(
      "BadRequest",
      `Cannot read YAML: line ${line}: ${valueComplaint(String(cause))}`,
      {
        cause,
      },
    );
  }
}

function valueComplaint(cause: string): string {
  if (cause.includes("Excessive alias"))
    return `more than ${MAX_ALIAS_COUNT} aliases are expanded in one document`;
  const alias = /Unresolved alias[^:]*: (\S+)/.exec(cause)?.[1];
  return alias ? `alias "*${alias}" has no anchor before it` : "the document is nested too deeply";
}

function malformed(problem: YAMLError, text: string, lineCounter: LineCounter): ParasausError {
  const { line } = lineCounter.linePos(Math.max(0, problem.pos[0]));
  const [first = problem.message] = problem.message.split("\n");
  const what = problem.code === "DUPLICATE_KEY" ? `key ${keyAt(text, problem.pos[0])} is given twice` : first;
  return new ParasausError("BadRequest", `Cannot read YAML: line ${line}: ${what}`);
}

function keyAt(text: string, offset: number): string {
  const key = /^[^:\n]{1,80}/.exec(text.slice(offset, offset + 80))?.[0] ?? "";
  return JSON.stringify(key.trim().replace(/^["']|["']$/g, ""));
}
