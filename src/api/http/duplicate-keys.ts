interface OpenValue {
  /** Keys so far, for an object; absent for an array. */
  readonly keys?: Set<string>;
  /** Key or index of the entry that is being read. */
  step: string | number;
}

/**
 * Finds keys that one JSON object has twice; `JSON.parse` silently keeps the last.
 *
 * @param text JSON that `JSON.parse` accepted.
 * @returns Paths as users write them: `spec.members[1].port`.
 */
export function duplicateKeys(text: string): string[] {
  const found: string[] = [];
  const open: OpenValue[] = [];
  for (const { 0: token, index } of text.matchAll(/"(?:[^"\\]|\\.)*"|[[\]{},]/g)) {
    if (token.startsWith('"')) {
      const keys = open.at(-1)?.keys;
      if (keys && isFollowedByColon(text, index + token.length)) enterKey(open, keys, token, found);
    } else {
      enterPunctuation(open, token);
    }
  }
  return found;
}

function enterPunctuation(open: OpenValue[], token: string): void {
  const top = open.at(-1);
  if (token === "{") open.push({ keys: new Set(), step: "" });
  else if (token === "[") open.push({ step: 0 });
  else if (token !== ",") open.pop();
  else if (top && typeof top.step === "number") top.step += 1;
}

function enterKey(open: readonly OpenValue[], keys: Set<string>, token: string, found: string[]): void {
  const key = String(JSON.parse(token));
  const top = open.at(-1);
  if (top) top.step = key;
  if (keys.has(key)) found.push(pathOf(open));
  keys.add(key);
}

function isFollowedByColon(text: string, after: number): boolean {
  let index = after;
  while (" \t\r\n".includes(text[index] ?? "x")) index += 1;
  return text[index] === ":";
}

function pathOf(open: readonly OpenValue[]): string {
  return open.reduce((path, { step }) => {
    if (typeof step === "number") return `${path}[${step}]`;
    return path === "" ? step : `${path}.${step}`;
  }, "");
}
