const MS_PER_UNIT: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 };
const DURATION = /^(?:\d+(?:\.\d+)?(?:ms|s|m|h))+$/;
const MAX_TEXT_LENGTH = 32;

/**
 * Reads a Go-style duration: `500ms`, `2s`, `1.5s`, `1m30s`, `1h`; a bare integer (or `"2"`) means seconds.
 *
 * @returns Whole milliseconds, at least 0, or undefined when it is no duration.
 */
export function parseDurationMs(value: unknown): number | undefined {
  if (typeof value === "number") return Number.isInteger(value) && value >= 0 ? value * 1000 : undefined;
  if (typeof value !== "string" || value.length > MAX_TEXT_LENGTH) return undefined;
  if (/^\d{1,9}$/.test(value)) return Number(value) * 1000;
  if (!DURATION.test(value)) return undefined;
  const parts = value.match(/\d+(?:\.\d+)?[a-z]+/g) ?? [];
  return Math.round(parts.reduce((sum, part) => sum + partMs(part), 0));
}

function partMs(part: string): number {
  const unit = part.replace(/[\d.]/g, "");
  return Number.parseFloat(part) * (MS_PER_UNIT[unit] ?? 0);
}

/**
 * Writes milliseconds as the shortest Go-style duration: `2s`, `1m30s`, `500ms`.
 *
 * @param ms Whole milliseconds, at least 0.
 */
export function formatDurationMs(ms: number): string {
  if (ms === 0) return "0s";
  const parts: [number, string][] = [
    [Math.floor(ms / 3_600_000), "h"],
    [Math.floor((ms % 3_600_000) / 60_000), "m"],
    [Math.floor((ms % 60_000) / 1000), "s"],
    [ms % 1000, "ms"],
  ];
  return parts
    .filter(([amount]) => amount > 0)
    .map(([amount, unit]) => `${amount}${unit}`)
    .join("");
}
