/** One word of a search: free, or about one field (`state:down`). */
export interface SearchTerm {
  /** Absent: anywhere. */
  readonly field?: string;
  /** Lower case. */
  readonly text: string;
}

/** A search of more words than this is cut, a count: each of them costs time for each object. */
const LONGEST_SEARCH_COUNT = 16;

/**
 * Reads what was typed into a search field: words that must all be found, each part of something. A word that begins with
 * the name of a field and a colon is looked for there alone; `"quotes"` keep spaces together.
 *
 * @param fields Names of fields; any other word with a colon, an IPv6 address for one, is a free one.
 */
export function parseSearch(text: string, fields: readonly string[]): readonly SearchTerm[] {
  const words = text.toLowerCase().match(/(?:[^\s"]|"[^"]*"?)+/g) ?? [];
  return words.slice(0, LONGEST_SEARCH_COUNT).flatMap((word) => {
    const plain = word.replaceAll('"', "");
    const colon = plain.indexOf(":");
    const field = plain.slice(0, colon);
    if (colon > 0 && fields.includes(field)) return [{ field, text: plain.slice(colon + 1) }];
    return plain === "" ? [] : [{ text: plain }];
  });
}
