/** A histogram of Prometheus without labels: how many values lie at or below each bound, in the order of the bounds. */
export type CumulativeHistogram = readonly { readonly bound: number; readonly count: number }[];

/** Reads a histogram from Prometheus' text. */
export function readHistogram(text: string, name: string): CumulativeHistogram {
  const lines = [...text.matchAll(new RegExp(`^${name}_bucket\\{le="([^"]+)"\\} (\\S+)$`, "gm"))];
  if (lines.length === 0) throw new Error(`There is no histogram ${name}`);
  return lines.map(([, bound, count]) => ({
    bound: bound === "+Inf" ? Number.POSITIVE_INFINITY : Number(bound),
    count: Number(count),
  }));
}

/** What came in between two readings of each of several histograms, all together. */
export function sumGrowth(
  readings: readonly { readonly before: CumulativeHistogram; readonly after: CumulativeHistogram }[],
): CumulativeHistogram {
  const [first] = readings;
  return (first?.after ?? []).map(({ bound }, index) => ({
    bound,
    count: readings.reduce(
      (sum, { before, after }) => sum + (after[index]?.count ?? 0) - (before[index]?.count ?? 0),
      0,
    ),
  }));
}

/** The value below which `share` (0 to 1) of the values lie, linear within its bucket as Prometheus has it. */
export function histogramQuantile(histogram: CumulativeHistogram, share: number): number {
  const rank = (histogram.at(-1)?.count ?? 0) * share;
  let below = { bound: 0, count: 0 };
  for (const bucket of histogram) {
    if (bucket.count >= rank && bucket.count > below.count) {
      if (bucket.bound === Number.POSITIVE_INFINITY) return bucket.bound;
      const part = (rank - below.count) / (bucket.count - below.count);
      return below.bound + part * (bucket.bound - below.bound);
    }
    below = bucket;
  }
  return Number.NaN;
}
