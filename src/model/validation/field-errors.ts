import type { FieldError } from "../../foundation/index.ts";

const SHOWN_LENGTH = 80;

/** A value as messages show it: scalars as JSON, cut when long; of anything deeper only the shape, whatever its size. */
function shown(value: unknown): string {
  if (Array.isArray(value)) return value.length === 0 ? "[]" : "[…]";
  if (typeof value === "object" && value !== null) return Object.keys(value).length === 0 ? "{}" : "{…}";
  const text = typeof value === "string" ? JSON.stringify(value.slice(0, SHOWN_LENGTH)) : String(value);
  return typeof value === "string" && value.length > SHOWN_LENGTH ? `${text.slice(0, -1)}…"` : text;
}

/** A value of the right type that is not allowed. */
export function invalid(field: string, value: unknown, expectation: string): FieldError {
  return { field, reason: "FieldValueInvalid", message: `Invalid value: ${shown(value)}: ${expectation}` };
}

/** A field that must be there and is not. */
export function missing(field: string, why = ""): FieldError {
  return { field, reason: "FieldValueRequired", message: why ? `Required value: ${why}` : "Required value" };
}

/** A field that must not be there. */
export function forbidden(field: string, why: string): FieldError {
  return { field, reason: "FieldValueForbidden", message: `Forbidden: ${why}` };
}

/** A value outside a closed list. */
export function unsupported(field: string, value: unknown, supported: readonly string[]): FieldError {
  const list = supported.map((one) => JSON.stringify(one)).join(", ");
  const message = `Unsupported value: ${shown(value)}: supported values: ${list}`;
  return { field, reason: "FieldValueNotSupported", message };
}

/** A value that another entry of the list has already. */
export function duplicate(field: string, value: unknown): FieldError {
  return { field, reason: "FieldValueDuplicate", message: `Duplicate value: ${shown(value)}` };
}

/** A text above its limit. */
export function tooLong(field: string, limit: number, unit = "characters"): FieldError {
  return { field, reason: "FieldValueTooLong", message: `Too long: must have at most ${limit} ${unit}` };
}

/** A list above its limit. */
export function tooMany(field: string, count: number, limit: number): FieldError {
  const message = `Too many: ${count}: must have at most ${limit} items`;
  return { field, reason: "FieldValueTooMany", message };
}
