/** One row of the bench's JSON: what was measured, of whom, and how it spread over the rounds. */
export interface Figure {
  readonly work: string;
  readonly contender: string;
  readonly unit: string;
  readonly median: number;
  readonly min: number;
  readonly max: number;
  readonly rounds: number;
}

/** The value below which `share` (0 to 1) of the values lie, by linear interpolation. */
export function quantile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  const at = (sorted.length - 1) * share;
  const below = sorted[Math.floor(at)] ?? Number.NaN;
  const above = sorted[Math.ceil(at)] ?? Number.NaN;
  // Infinite values have no difference.
  return below === above ? below : below + (above - below) * (at - Math.floor(at));
}

/** Sums up the rounds of one contender. */
export function figure(work: string, contender: string, unit: string, values: readonly number[]): Figure {
  return {
    work,
    contender,
    unit,
    median: quantile(values, 0.5),
    min: Math.min(...values),
    max: Math.max(...values),
    rounds: values.length,
  };
}

/**
 * Median of the ratios of adjacent slices: round by round `values[i] / base[i]`, so that a machine that slows down for a
 * second slows both. A round in which the base failed (0) compares nothing and is left out.
 */
export function pairedRatio(values: readonly number[], base: readonly number[]): number {
  const ratios = values.flatMap((value, round) => (base[round] ? [value / base[round]] : []));
  return quantile(ratios, 0.5);
}
