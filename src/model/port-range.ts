/** First and last port of a range. */
export interface PortRange {
  /** First port, 1-65535. */
  readonly first: number;
  /** Last port, included, 1-65535. */
  readonly last: number;
}

const RANGE = /^(\d{1,5})(?:\s*-\s*(\d{1,5}))?$/;
const LAST_PORT = 65_535;

/** Reads `40796` or `30000-64999`; undefined when it is neither, or leaves 1-65535, or runs backwards. */
export function parsePortRange(text: string): PortRange | undefined {
  const match = RANGE.exec(text.trim());
  const first = Number(match?.[1] ?? 0);
  const last = Number(match?.[2] ?? first);
  return first >= 1 && last <= LAST_PORT && first <= last ? { first, last } : undefined;
}
