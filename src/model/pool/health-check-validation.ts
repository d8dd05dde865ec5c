import type { FieldError } from "../../foundation/index.ts";
import { parseDurationMs } from "../duration.ts";
import { invalid } from "../validation/field-errors.ts";
import { type HealthCheck, healthCheckTiming, type WrittenDuration } from "./health-check.ts";

const SHORTEST_INTERVAL_MS = 100;
const SHORTEST_TIMEOUT_MS = 10;
const LONGEST_MS = 86_400_000;
const INTERVALS = ["interval", "fastInterval", "downInterval"] as const;

/** What the schema of a health check cannot say. */
export function healthCheckErrors(field: string, check: HealthCheck): FieldError[] {
  return [
    ...INTERVALS.flatMap((name) => timeErrors(`${field}.${name}`, check[name], SHORTEST_INTERVAL_MS)),
    ...timeErrors(`${field}.timeout`, check.timeout, SHORTEST_TIMEOUT_MS),
    ...timeoutErrors(`${field}.timeout`, check),
    ...httpErrors(`${field}.http`, check.http),
    ...mysqlErrors(`${field}.mysql`, check.mysql),
  ];
}

function timeErrors(field: string, value: WrittenDuration | undefined, shortestMs: number): FieldError[] {
  const ms = parseDurationMs(value);
  if (ms === undefined || (ms >= shortestMs && ms <= LONGEST_MS)) return [];
  return [invalid(field, value, `must be between ${shortestMs}ms and 24h`)];
}

function timeoutErrors(field: string, check: HealthCheck): FieldError[] {
  const ms = parseDurationMs(check.timeout);
  const { intervalMs, fastIntervalMs, downIntervalMs } = healthCheckTiming(check);
  if (ms === undefined || ms <= Math.min(intervalMs, fastIntervalMs, downIntervalMs)) return [];
  return [invalid(field, check.timeout, "must not be longer than the shortest interval")];
}

function httpErrors(field: string, http: HealthCheck["http"]): FieldError[] {
  if (!http) return [];
  const { path, host, expect } = http;
  return [
    ...(/^\/[!-~]*$/.test(path)
      ? []
      : [invalid(`${field}.path`, path, "must start with / and have no spaces or control characters")]),
    ...(host === undefined || /^[-A-Za-z0-9._:[\]]+$/.test(host)
      ? []
      : [invalid(`${field}.host`, host, "must be a host name or address, and a port if need be")]),
    ...expect.flatMap((range, index) =>
      isStatusRange(range)
        ? []
        : [
            invalid(
              `${field}.expect[${index}]`,
              range,
              "must be a status code such as 200, or a range 200-399",
            ),
          ],
    ),
  ];
}

function isStatusRange(text: string): boolean {
  const match = /^([1-5]\d\d)(?:-([1-5]\d\d))?$/.exec(text);
  return match !== null && Number(match[2] ?? match[1]) >= Number(match[1]);
}

/** Both go into a length-counted packet, but NUL ends a user name there. */
function mysqlErrors(field: string, mysql: HealthCheck["mysql"]): FieldError[] {
  if (!mysql?.user.includes("\0")) return [];
  return [invalid(`${field}.user`, mysql.user, "must not contain a NUL character")];
}
