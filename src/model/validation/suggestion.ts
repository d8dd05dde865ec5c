const LONGEST_NAME = 40;
const MOST_EDITS = 2;

/** The known name that a mistyped one most likely stands for, or nothing. */
export function suggestName(mistyped: string, known: readonly string[]): string | undefined {
  if (mistyped.length > LONGEST_NAME) return undefined;
  const scored = known
    .map((name) => ({ name, edits: editCount(mistyped.toLowerCase(), name.toLowerCase()) }))
    .filter(({ name, edits }) => edits <= MOST_EDITS && edits * 2 <= name.length)
    .sort((left, right) => left.edits - right.edits);
  return scored[0]?.name;
}

/** Letters to insert, delete or replace (Levenshtein distance). */
function editCount(left: string, right: string): number {
  let above = Array.from({ length: right.length + 1 }, (_, column) => column);
  for (let row = 1; row <= left.length; row += 1) {
    const current = [row];
    for (let column = 1; column <= right.length; column += 1) {
      const replaced = (above[column - 1] ?? 0) + (left[row - 1] === right[column - 1] ? 0 : 1);
      current.push(Math.min((above[column] ?? 0) + 1, (current[column - 1] ?? 0) + 1, replaced));
    }
    above = current;
  }
  return above[right.length] ?? 0;
}
