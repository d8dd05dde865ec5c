import { currentLanguage } from "../i18n/index.ts";

const BYTE_UNITS = ["B", "KiB", "MiB", "GiB", "TiB", "PiB"];

/** What writes in a language; each takes longer to make than all that it writes on a page. */
const writers = new Map<string, ReturnType<typeof makeWriters>>();

function makeWriters(language: string) {
  const number = (options?: Intl.NumberFormatOptions) => new Intl.NumberFormat(language, options);
  return {
    number: number(),
    percent: number({ style: "percent", maximumFractionDigits: 1 }),
    whole: number({ maximumFractionDigits: 0 }),
    tenths: number({ maximumFractionDigits: 1 }),
    time: new Intl.DateTimeFormat(language, { dateStyle: "medium", timeStyle: "medium" }),
    ago: new Intl.RelativeTimeFormat(language, { numeric: "auto" }),
  };
}

function inLanguage(): ReturnType<typeof makeWriters> {
  const language = currentLanguage();
  const known = writers.get(language) ?? makeWriters(language);
  writers.set(language, known);
  return known;
}

/** A number with the language's separators. */
export function formatNumber(value: number): string {
  return inLanguage().number.format(value);
}

/** A share, 0-1, as percent. */
export function formatShare(share: number): string {
  return inLanguage().percent.format(share);
}

/** Bytes in the largest unit that leaves at least one. */
export function formatBytes(bytes: number): string {
  const power = bytes < 1 ? 0 : Math.min(BYTE_UNITS.length - 1, Math.floor(Math.log2(bytes) / 10));
  const value = bytes / 1024 ** power;
  const { whole, tenths } = inLanguage();
  return `${(power === 0 || value >= 100 ? whole : tenths).format(value)} ${BYTE_UNITS[power]}`;
}

/** A time as the language writes it, to the second. */
export function formatTime(time: string | Date): string {
  return inLanguage().time.format(new Date(time));
}

const STEPS: readonly (readonly [Intl.RelativeTimeFormatUnit, number])[] = [
  ["day", 86_400],
  ["hour", 3_600],
  ["minute", 60],
];

/** How long ago a time was: `3 minutes ago`. */
export function formatAgo(time: string, nowMs: number): string {
  const seconds = Math.round((Date.parse(time) - nowMs) / 1_000);
  const { ago } = inLanguage();
  for (const [unit, size] of STEPS) {
    if (Math.abs(seconds) >= size) return ago.format(Math.trunc(seconds / size), unit);
  }
  return ago.format(Math.min(0, seconds), "second");
}

/** A span of time: `2:05`. */
export function formatCountdown(ms: number): string {
  const seconds = Math.max(0, Math.ceil(ms / 1_000));
  return `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")}`;
}

/** An address with its port, IPv6 in brackets. */
export function formatAddress(ip: string, port: number): string {
  return ip.includes(":") ? `[${ip}]:${port}` : `${ip}:${port}`;
}
