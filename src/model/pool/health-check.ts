import type { JsonSchema } from "../definition.ts";
import { parseDurationMs } from "../duration.ts";
import { ATOMIC, duration, integer, list, oneOf, port, structure, text } from "../schema/vocabulary.ts";

/** How a member can be probed. */
export type HealthCheckType = "http" | "https" | "tcp" | "mysql" | "none";

/** A time as the operator wrote it: `500ms`, `2s`, `1m30s`, or whole seconds. */
export type WrittenDuration = string | number;

/**
 * How members are probed, as written.
 * Read the times through {@link healthCheckTiming}, which knows what an absent one means.
 */
export interface HealthCheck {
  readonly type: HealthCheckType;
  /** Time between two probes of a settled member. Default `2s`. */
  readonly interval: WrittenDuration;
  /** While the verdict is in doubt (rising or falling). Absent: as `interval`. */
  readonly fastInterval?: WrittenDuration;
  /** While the member is down. Absent: as `interval`. */
  readonly downInterval?: WrittenDuration;
  /** Longest wait for an answer, at most the shortest interval. Absent: 1 s, or the shortest interval if that is less. */
  readonly timeout?: WrittenDuration;
  /** Consecutive successes that bring a member up, 1-100. Default 2. */
  readonly rise: number;
  /** Consecutive failures that take a member down, 1-100. Default 3. */
  readonly fall: number;
  /** Verdict of a member that was never probed. Default `unchecked` (no traffic before the first pass). */
  readonly initialState: "unchecked" | "up" | "down";
  /** Port to probe where it is not the member's own, 1-65535. */
  readonly port?: number;
  /** Details of http and https; filled in for these types. */
  readonly http?: {
    readonly method: "GET" | "HEAD";
    readonly path: string;
    readonly host?: string;
    /** Status codes that count as healthy, `200` or inclusive ranges `200-399`. */
    readonly expect: readonly string[];
  };
  /** mysql: log in as this no-privilege user; without it, only the greeting is answered. */
  readonly mysql?: { readonly user: string; readonly password?: string };
}

/** The times of a health check, in milliseconds, with everything absent worked out. */
export interface HealthCheckTiming {
  /** Between two probes of a settled member. */
  readonly intervalMs: number;
  /** Between two probes while the verdict is in doubt. */
  readonly fastIntervalMs: number;
  /** Between two probes while the member is down. */
  readonly downIntervalMs: number;
  /** Longest wait for an answer; never above the shortest interval. */
  readonly timeoutMs: number;
}

const DEFAULT_INTERVAL_MS = 2000;
const DEFAULT_TIMEOUT_MS = 1000;

/** Works out the times of a health check. Pure; a malformed duration counts as absent. */
export function healthCheckTiming(
  check: Pick<HealthCheck, "interval" | "fastInterval" | "downInterval" | "timeout">,
): HealthCheckTiming {
  const intervalMs = parseDurationMs(check.interval) ?? DEFAULT_INTERVAL_MS;
  const fastIntervalMs = parseDurationMs(check.fastInterval) ?? intervalMs;
  const downIntervalMs = parseDurationMs(check.downInterval) ?? intervalMs;
  const shortestMs = Math.min(intervalMs, fastIntervalMs, downIntervalMs);
  const timeoutMs = Math.min(parseDurationMs(check.timeout) ?? DEFAULT_TIMEOUT_MS, shortestMs);
  return { intervalMs, fastIntervalMs, downIntervalMs, timeoutMs };
}

const http = structure(
  {
    method: oneOf(["GET", "HEAD"], "Method of the request.", { default: "GET" }),
    path: text("Path and query of the request.", { default: "/", maxLength: 2048 }),
    host: text("Host header; absent: the member's address and port.", { maxLength: 253 }),
    expect: list(text("A status code or a range of them."), "Status codes that count as healthy.", {
      ...ATOMIC,
      default: ["200-399"],
      minItems: 1,
      maxItems: 16,
    }),
  },
  "What http and https checks ask for and expect.",
);

const mysql = structure(
  {
    user: text("User without any privilege to log in as.", { minLength: 1, maxLength: 32 }),
    password: text("Password of the user.", { maxLength: 256 }),
  },
  "How mysql checks log in; without it, only the server's greeting is answered.",
  { required: ["user"] },
);

/** Schema of `spec.healthCheck`. */
export const healthCheckSchema: JsonSchema = structure(
  {
    type: oneOf(
      ["http", "https", "tcp", "mysql", "none"],
      "How members are probed. Default tcp; for a UDP or SCTP pool none.",
    ),
    interval: duration("Time between two probes of a settled member.", { default: "2s" }),
    fastInterval: duration("Interval while the verdict is in doubt; absent: as interval."),
    downInterval: duration("Interval while the member is down; absent: as interval."),
    timeout: duration(
      "Longest wait for an answer, at most the shortest interval; absent: 1s, or the shortest interval if less.",
    ),
    rise: integer("Consecutive successes that bring a member up.", 1, 100, { default: 2 }),
    fall: integer("Consecutive failures that take a member down.", 1, 100, { default: 3 }),
    initialState: oneOf(
      ["unchecked", "up", "down"],
      "Verdict of a member that was never probed; an unchecked one takes no traffic before its first pass.",
      { default: "unchecked" },
    ),
    port: port("Port to probe where it is not the member's own."),
    http,
    mysql,
  },
  "How members are probed and when they count as up or down.",
  { default: {} },
);
