import { formatDurationMs } from "../../model/index.ts";
import type { Statement } from "./keepalived-tree.ts";
import type { AdoptedCheck, Warn } from "./virtual-server.ts";

const TYPE = { TCP_CHECK: "tcp", HTTP_GET: "http", SSL_GET: "https" } as const;
/** As man keepalived.conf has them. */
const DEFAULT_SECONDS = { delay_loop: 60, connect_timeout: 5, delay_before_retry: 1 } as const;
const DEFAULT_RETRIES = { tcp: 1, http: 3, https: 3 } as const;
const SECOND_MS = 1000;
const FALL_LIMIT = 100;

/** Keywords of a check that a pool's check says too. */
const TRANSLATED = new Set([
  ...["connect_port", "connect_timeout", "retry", "nb_get_retry", "delay_before_retry", "delay_loop", "url"],
  ...["alpha", "virtualhost", "path", "status_code"],
]);

type CheckKeyword = keyof typeof TYPE;

/** A check and all that says something about it, from the nearest to the farthest. */
interface FoundCheck {
  readonly check: Statement;
  readonly scopes: readonly (readonly Statement[])[];
}

/**
 * The pool's check from the real servers' checks, of which keepalived lets each have its own: the first counts.
 *
 * @param server What the virtual server says for all.
 */
export function readCheck(
  server: readonly Statement[],
  members: readonly Statement[],
  protocol: string,
  warn: Warn,
): AdoptedCheck {
  const found = members.flatMap(({ block = [] }) =>
    block
      .filter((check) => check.block !== undefined)
      .map((check): FoundCheck => ({ check, scopes: [check.block ?? [], block, server] })),
  );
  const [first, ...others] = found.filter(({ check }) => check.keyword in TYPE);
  const fallback = found.length > 0 && protocol === "TCP" ? "tcp" : "none";
  const instead = first
    ? "it is not asked"
    : fallback === "tcp"
      ? "tcp is asked instead"
      : "nothing is asked";
  for (const { check } of found.filter((each) => !(each.check.keyword in TYPE)))
    warn(check.where, `${check.keyword} has no counterpart: ${instead}`);
  const isAlpha = [server, ...members.map(({ block = [] }) => block)].some(hasAlpha);
  const initialState = isAlpha ? "unchecked" : "up";
  if (first === undefined) return { type: fallback, initialState };
  for (const { check } of others)
    if (shapeOf(check) !== shapeOf(first.check))
      warn(check.where, `${check.keyword} differs from that of ${first.check.where}; a pool has one check`);
  return { initialState, ...readFirst(first, warn) };
}

function hasAlpha(block: readonly Statement[]): boolean {
  return block.some(({ keyword }) => keyword === "alpha");
}

function shapeOf({ keyword, values, block = [] }: Statement): string {
  return `${keyword} ${values.join(" ")} {${block.map(shapeOf).join(";")}}`;
}

function readFirst({ check, scopes }: FoundCheck, warn: Warn): AdoptedCheck {
  const block = check.block ?? [];
  const type = TYPE[check.keyword as CheckKeyword];
  const nearest = (keyword: string) =>
    scopes.map((scope) => numberIn(scope, keyword)).find((value) => value !== undefined);
  const seconds = (keyword: keyof typeof DEFAULT_SECONDS) => nearest(keyword) ?? DEFAULT_SECONDS[keyword];
  const retries = nearest("retry") ?? nearest("nb_get_retry") ?? DEFAULT_RETRIES[type];
  // A retry begins this long after the attempt before it began: it waits for the time-out and then for the delay.
  const intervalMs = Math.max(seconds("delay_loop"), 0.1) * SECOND_MS;
  const retryMs = (seconds("connect_timeout") + seconds("delay_before_retry")) * SECOND_MS;
  const fastMs = Math.min(intervalMs, retryMs);
  const port = numberIn(block, "connect_port");
  for (const { keyword, where } of block)
    if (!TRANSLATED.has(keyword)) warn(where, `${keyword} has no counterpart`);
  return {
    type,
    interval: formatDurationMs(intervalMs),
    fastInterval: formatDurationMs(fastMs),
    timeout: formatDurationMs(Math.min(seconds("connect_timeout") * SECOND_MS, fastMs)),
    rise: 1,
    fall: Math.min(retries + 1, FALL_LIMIT),
    ...(port === undefined ? {} : { port }),
    ...(type === "tcp" ? {} : { http: readHttp(scopes, warn) }),
  };
}

function readHttp(scopes: FoundCheck["scopes"], warn: Warn): NonNullable<AdoptedCheck["http"]> {
  const [url, ...others] = (scopes[0] ?? []).filter(({ keyword }) => keyword === "url");
  for (const { where } of others) warn(where, "url has no counterpart: a check asks for one");
  const inside = url?.block ?? [];
  for (const { keyword, where } of inside)
    if (!TRANSLATED.has(keyword)) warn(where, `${keyword} has no counterpart`);
  const valuesOf = (keyword: string) =>
    [inside, ...scopes].flat().find((each) => each.keyword === keyword)?.values ?? [];
  const [path] = valuesOf("path");
  const [host] = valuesOf("virtualhost");
  const expect = valuesOf("status_code");
  return {
    ...(path === undefined ? {} : { path }),
    ...(host === undefined ? {} : { host }),
    // Without any, keepalived takes every 2xx.
    expect: expect.length > 0 ? expect : ["200-299"],
  };
}

function numberIn(block: readonly Statement[], keyword: string): number | undefined {
  const text = block.findLast((each) => each.keyword === keyword)?.values[0];
  return text !== undefined && /^\d+(\.\d+)?$/.test(text) ? Number(text) : undefined;
}
