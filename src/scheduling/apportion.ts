/**
 * Shares `seatCount` seats by largest remainder, so that nobody is a whole seat away from its due.
 * Ties go to whoever comes first.
 *
 * @param weights Not all 0; 0 takes no seat.
 * @param leastCount Everybody with a weight gets at least as many; together not more than `seatCount`.
 */
export function apportion(weights: readonly number[], seatCount: number, leastCount: 0 | 1): number[] {
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  const due = weights.map((weight) => (seatCount * weight) / total);
  const seats = due.map((share, index) => Math.max(weights[index] ? leastCount : 0, Math.floor(share)));
  let left = seatCount - seats.reduce((sum, count) => sum + count, 0);
  const byClaim = weights
    .map((_, index) => index)
    .filter((index) => weights[index])
    .sort((a, b) => claimOf(b) - claimOf(a) || a - b);
  for (const index of byClaim) {
    if (left <= 0) break;
    seats[index] = (seats[index] ?? 0) + 1;
    left -= 1;
  }
  return left < 0 ? takeFromRichest(seats, -left) : seats;

  function claimOf(index: number): number {
    return (due[index] ?? 0) - (seats[index] ?? 0);
  }
}

/** Pays for the seats that the least ones got for nothing. */
function takeFromRichest(seats: number[], excess: number): number[] {
  const result = [...seats];
  for (let taken = 0; taken < excess; taken += 1) {
    const richest = result.indexOf(Math.max(...result));
    result[richest] = (result[richest] ?? 0) - 1;
  }
  return result;
}
