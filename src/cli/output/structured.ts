import type { Output } from "../../foundation/index.ts";

/** Writes a value as `json` or `yaml`, keys sorted like kubectl does, so that outputs can be compared. */
export async function writeStructured(output: Output, format: string, value: unknown): Promise<void> {
  const sorted = sortKeys(value);
  if (format === "json") {
    output.write(`${JSON.stringify(sorted, null, 4)}\n`);
    return;
  }
  const { stringify } = await import("yaml");
  // Version 1.1 quotes what older readers would take for a time or a truth.
  output.write(
    stringify(sorted, { lineWidth: 0, aliasDuplicateObjects: false, version: "1.1", indentSeq: false }),
  );
}

function sortKeys(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sortKeys);
  if (typeof value !== "object" || value === null) return value;
  const entries = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
  return Object.fromEntries(entries.map(([key, inner]) => [key, sortKeys(inner)]));
}
