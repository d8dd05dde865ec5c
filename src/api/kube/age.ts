const SECOND_MS = 1_000;
const MINUTE_MS = 60 * SECOND_MS;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;
const YEAR_MS = 365 * DAY_MS;

interface Step {
  /** The form holds for ages below this. */
  readonly below: number;
  readonly unit: readonly [number, string];
  readonly rest?: readonly [number, string];
}

// The steps of kubectl's AGE column: two units while the second one still says something.
const STEPS: readonly Step[] = [
  { below: 2 * MINUTE_MS, unit: [SECOND_MS, "s"] },
  { below: 10 * MINUTE_MS, unit: [MINUTE_MS, "m"], rest: [SECOND_MS, "s"] },
  { below: 3 * HOUR_MS, unit: [MINUTE_MS, "m"] },
  { below: 8 * HOUR_MS, unit: [HOUR_MS, "h"], rest: [MINUTE_MS, "m"] },
  { below: 2 * DAY_MS, unit: [HOUR_MS, "h"] },
  { below: 8 * DAY_MS, unit: [DAY_MS, "d"], rest: [HOUR_MS, "h"] },
  { below: 2 * YEAR_MS, unit: [DAY_MS, "d"] },
  { below: 8 * YEAR_MS, unit: [YEAR_MS, "y"], rest: [DAY_MS, "d"] },
  { below: Number.POSITIVE_INFINITY, unit: [YEAR_MS, "y"] },
];

/** How long ago a timestamp is, as kubectl writes it: `5s`, `3m12s`, `47h`, `5d3h`. */
export function formatAge(timestamp: string, now: Date): string {
  const ageMs = Math.max(0, now.getTime() - Date.parse(timestamp));
  const step = STEPS.find(({ below }) => ageMs < below);
  if (step === undefined) return "<unknown>";
  const [size, name] = step.unit;
  const whole = `${Math.floor(ageMs / size)}${name}`;
  const rest = step.rest === undefined ? 0 : Math.floor((ageMs % size) / step.rest[0]);
  return rest === 0 ? whole : `${whole}${rest}${step.rest?.[1]}`;
}
