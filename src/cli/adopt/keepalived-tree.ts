import { ParasausError } from "../../foundation/index.ts";

/** One statement: `lb_algo rr`, or with what stands in its braces. */
export interface Statement {
  readonly where: string;
  readonly keyword: string;
  readonly values: readonly string[];
  readonly block?: readonly Statement[];
}

/** Where `include` may lead. @returns texts by name, in order */
export type ReadIncluded = (
  pattern: string,
  from: string,
) => readonly { readonly name: string; readonly text: string }[];

interface Token {
  readonly text: string;
  readonly where: string;
  readonly isFirst: boolean;
}

const DEPTH_LIMIT = 8;

/**
 * Reads the syntax of keepalived.conf: a statement to a line, blocks in braces, comments after `!` and `#`.
 *
 * @param name Of the file; empty = places are told by the line alone.
 * @throws ParasausError `BadRequest` for what would change the meaning of the rest: variables, conditions, unbalanced braces
 */
export function readKeepalivedTree(text: string, name: string, include: ReadIncluded): readonly Statement[] {
  const tokens = tokensOf(text, name, include, 0);
  const { statements, next } = readBlock(tokens, 0);
  const rest = tokens[next];
  if (rest) throw new ParasausError("BadRequest", `Cannot read ${rest.where}: "}" closes no block`);
  return statements;
}

function tokensOf(text: string, name: string, include: ReadIncluded, depth: number): readonly Token[] {
  if (depth > DEPTH_LIMIT) {
    throw new ParasausError("BadRequest", `Cannot read "${name}": files include each other ${depth} deep`);
  }
  return text.split("\n").flatMap((line, index) => {
    const where = `${name === "" ? "" : `${name} `}line ${index + 1}`;
    const words = wordsOf(line);
    refuseVariables(words, where);
    if (words[0] !== "include") return words.map((word, at) => ({ text: word, where, isFirst: at === 0 }));
    return include(words[1] ?? "", name).flatMap((file) =>
      tokensOf(file.text, file.name, include, depth + 1),
    );
  });
}

function wordsOf(line: string): readonly string[] {
  const found = line.matchAll(/"([^"]*)"|[!#].*|[{}]|[^\s{}"]+/g);
  return Array.from(found, ([word, quoted]) => quoted ?? (/^[!#]/.test(word) ? "" : word)).filter(Boolean);
}

function refuseVariables([first = "", ...rest]: readonly string[], where: string): void {
  const strange =
    [first, ...rest].find((word) => word.includes("$")) ?? (/^[@~]/.test(first) ? first : undefined);
  if (strange === undefined) return;
  throw new ParasausError(
    "BadRequest",
    `Cannot read ${where}: "${strange}" is a variable or a condition; write out what it stands for`,
  );
}

function readBlock(
  tokens: readonly Token[],
  from: number,
): { readonly statements: readonly Statement[]; readonly next: number } {
  const statements: Statement[] = [];
  let at = from;
  for (let token = tokens[at]; token !== undefined && token.text !== "}"; token = tokens[at]) {
    let end = at + 1;
    while (tokens[end] !== undefined && !tokens[end]?.isFirst && !isBrace(tokens[end])) end += 1;
    const values = tokens.slice(at + 1, end).map(({ text }) => text);
    const statement = { where: token.where, keyword: token.text, values };
    if (tokens[end]?.text === "{") {
      const inner = readBlock(tokens, end + 1);
      if (tokens[inner.next] === undefined)
        throw new ParasausError("BadRequest", `Cannot read ${token.where}: "{" is never closed`);
      statements.push({ ...statement, block: inner.statements });
      at = inner.next + 1;
    } else {
      statements.push(statement);
      at = end;
    }
  }
  return { statements, next: at };
}

function isBrace(token: Token | undefined): boolean {
  return token?.text === "{" || token?.text === "}";
}
