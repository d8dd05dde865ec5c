import { canonicalIpv6, type FieldError, familyOfIp, parseIpv4 } from "../../foundation/index.ts";
import type { JsonSchema } from "../definition.ts";
import { parseDurationMs } from "../duration.ts";
import { invalid, tooLong, unsupported } from "./field-errors.ts";

const RFC_3339 = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(?:\.\d{1,9})?(?:Z|[+-]\d{2}:\d{2})$/;

const FORMATS: Readonly<Record<string, (text: string) => string | undefined>> = {
  "date-time": (text) =>
    RFC_3339.test(text) && !Number.isNaN(Date.parse(text))
      ? undefined
      : "must be an RFC 3339 time such as 2026-01-31T12:00:00Z",
  ip: ipComplaint,
  ipv4: (text) => (parseIpv4(text) === undefined ? "must be an IPv4 address such as 10.0.0.1" : undefined),
};

/** Says what is wrong with an address as text, or nothing. Addresses are compared as text, so each has one spelling. */
export function ipComplaint(text: string): string | undefined {
  if (familyOfIp(text) !== undefined) return undefined;
  const canonical = canonicalIpv6(text);
  return canonical
    ? `must be written as ${canonical}`
    : "must be an IP address such as 10.0.0.1 or 2001:db8::1";
}

/** What the schema says of one string, number, boolean or int-or-string. */
export function scalarErrors(schema: JsonSchema, value: unknown, path: string): FieldError[] {
  if (schema["x-kubernetes-int-or-string"]) return intOrStringErrors(schema, value, path);
  switch (schema["type"]) {
    case "string":
      return typeof value === "string"
        ? textErrors(schema, value, path)
        : [invalid(path, value, "must be a string")];
    case "integer":
      return Number.isSafeInteger(value)
        ? rangeErrors(schema, value as number, path)
        : [invalid(path, value, "must be an integer")];
    case "boolean":
      return typeof value === "boolean" ? [] : [invalid(path, value, "must be true or false")];
    default:
      return [];
  }
}

function intOrStringErrors(schema: JsonSchema, value: unknown, path: string): FieldError[] {
  if (typeof value !== "string" && !Number.isSafeInteger(value)) {
    return [invalid(path, value, "must be an integer or a string")];
  }
  if (!schema["x-parasaus-duration"] || parseDurationMs(value) !== undefined) return [];
  return [invalid(path, value, "must be a duration such as 500ms, 2s or 1m30s")];
}

function textErrors(schema: JsonSchema, value: string, path: string): FieldError[] {
  const allowed = schema["enum"] as readonly string[] | undefined;
  if (allowed && !allowed.includes(value)) return [unsupported(path, value, allowed)];
  const maxLength = schema["maxLength"] as number | undefined;
  if (maxLength !== undefined && value.length > maxLength) return [tooLong(path, maxLength)];
  const minLength = schema["minLength"] as number | undefined;
  if (minLength !== undefined && value.length < minLength) return [invalid(path, value, "must not be empty")];
  const complaint = FORMATS[String(schema["format"] ?? "")]?.(value);
  return complaint ? [invalid(path, value, complaint)] : [];
}

function rangeErrors(schema: JsonSchema, value: number, path: string): FieldError[] {
  const { minimum = -Infinity, maximum = Infinity } = schema as { minimum?: number; maximum?: number };
  if (value >= minimum && value <= maximum) return [];
  return [invalid(path, value, `must be between ${minimum} and ${maximum}, inclusive`)];
}
