import { familyOfIp, parseHostPort } from "../../foundation/index.ts";
import {
  type Endpoints,
  FORWARDING_MODES,
  parseDurationMs,
  SCHEDULER_NAMES,
  type Service,
} from "../../model/index.ts";

/** What a Service's annotations ask of its pools: fields of the pool's spec by path, and weights of members. */
export interface AskedPolicy {
  /** `scheduler`, `healthCheck.type`, … with the value that the pool's spec takes. */
  readonly fields: Readonly<Record<string, unknown>>;
  /** By `ip:port` or `ip`. */
  readonly weights: ReadonlyMap<string, number>;
  /** Address pool to take LoadBalancer and ClusterIP addresses from. */
  readonly addressPool?: string;
  /** Annotations that say nothing sensible and were left out, one sentence each. */
  readonly problems: readonly string[];
}

/** Gives the value for the spec, or undefined when the text makes no sense. */
type Reader = (text: string) => unknown;

const PREFIX = "parasaus.io/";
const CHECK = `${PREFIX}health-check-`;

const oneOf =
  (...values: readonly string[]): Reader =>
  (text) =>
    values.find((value) => value === text.toLowerCase());

const integer =
  (least: number, most: number): Reader =>
  (text) =>
    /^\d{1,9}$/.test(text) && Number(text) >= least && Number(text) <= most ? Number(text) : undefined;

const duration: Reader = (text) => {
  const ms = parseDurationMs(text);
  return ms !== undefined && ms > 0 ? text : undefined;
};

const words =
  (longest: number): Reader =>
  (text) =>
    text.length > 0 && text.length <= longest ? text : undefined;

const statusRanges: Reader = (text) => {
  const ranges = text.split(",").map((range) => range.trim());
  return ranges.every((range) => /^[1-5]\d\d(-[1-5]\d\d)?$/.test(range)) ? ranges : undefined;
};

const CHECK_TYPE = oneOf("http", "https", "tcp", "mysql", "none");
const DAY_SECONDS = 86_400;

/** Annotation → path in the pool's spec, and how to read it. */
const READERS: Readonly<Record<string, readonly [path: string, read: Reader]>> = {
  healthCheckType: ["healthCheck.type", CHECK_TYPE],
  [`${CHECK}type`]: ["healthCheck.type", CHECK_TYPE],
  [`${CHECK}interval`]: ["healthCheck.interval", duration],
  [`${CHECK}fast-interval`]: ["healthCheck.fastInterval", duration],
  [`${CHECK}down-interval`]: ["healthCheck.downInterval", duration],
  [`${CHECK}timeout`]: ["healthCheck.timeout", duration],
  [`${CHECK}rise`]: ["healthCheck.rise", integer(1, 100)],
  [`${CHECK}fall`]: ["healthCheck.fall", integer(1, 100)],
  [`${CHECK}initial-state`]: ["healthCheck.initialState", oneOf("unchecked", "up", "down")],
  [`${CHECK}port`]: ["healthCheck.port", integer(1, 65_535)],
  [`${CHECK}method`]: ["healthCheck.http.method", (text) => oneOf("get", "head")(text) && text.toUpperCase()],
  [`${CHECK}path`]: [
    "healthCheck.http.path",
    (text) => (text.startsWith("/") ? words(2_048)(text) : undefined),
  ],
  [`${CHECK}host`]: ["healthCheck.http.host", words(253)],
  [`${CHECK}expect`]: ["healthCheck.http.expect", statusRanges],
  [`${CHECK}mysql-user`]: ["healthCheck.mysql.user", words(32)],
  [`${CHECK}mysql-password`]: ["healthCheck.mysql.password", words(256)],
  [`${PREFIX}scheduler`]: ["scheduler", oneOf(...SCHEDULER_NAMES)],
  [`${PREFIX}forwarding`]: ["forwarding", oneOf(...FORWARDING_MODES)],
  [`${PREFIX}drain-seconds`]: ["drainSeconds", integer(0, DAY_SECONDS)],
  [`${PREFIX}on-member-down`]: ["onMemberDown", oneOf("keep", "cut")],
  [`${PREFIX}fail-open-threshold`]: ["failOpen.threshold", integer(0, 100)],
};

const WEIGHTS = `${PREFIX}weights`;
const ADDRESS_POOL = `${PREFIX}address-pool`;

/** Every annotation that sets something in a pool's spec. */
export const UNDERSTOOD_ANNOTATIONS: readonly string[] = [...Object.keys(READERS), WEIGHTS];

/**
 * Reads the annotations of a Service and of its Endpoints, which win; `annotations` beside `metadata` is read too, as
 * files in the field have it. What makes no sense is left out and named: one bad word must not hold up the members.
 */
export function readPolicy(service: Service, endpoints: Endpoints | undefined): AskedPolicy {
  const annotations = {
    ...service.metadata.annotations,
    ...endpoints?.annotations,
    ...endpoints?.metadata.annotations,
  };
  const fields: Record<string, unknown> = {};
  const problems: string[] = [];
  for (const [name, [path, read]] of Object.entries(READERS)) {
    const text = annotations[name]?.trim();
    if (text === undefined) continue;
    const value = read(text);
    if (value === undefined) problems.push(`annotation ${name}: "${text}" is not understood`);
    else fields[path] = value;
  }
  const weights = readWeights(annotations[WEIGHTS], problems);
  const addressPool = annotations[ADDRESS_POOL]?.trim();
  return { fields: coherent(fields), weights, problems, ...(addressPool ? { addressPool } : {}) };
}

/** Details of a check are left out where its type has no use for them; without a type they name none. */
function coherent(fields: Record<string, unknown>): Record<string, unknown> {
  const type = fields["healthCheck.type"];
  const isHttp = type === "http" || type === "https";
  const entries = Object.entries(fields).filter(([path]) => {
    if (path.startsWith("healthCheck.http.")) return isHttp;
    if (path.startsWith("healthCheck.mysql.")) return type === "mysql" && "healthCheck.mysql.user" in fields;
    return true;
  });
  return Object.fromEntries(entries);
}

/** `10.0.0.1:80=3, 10.0.0.2=1` */
function readWeights(text: string | undefined, problems: string[]): ReadonlyMap<string, number> {
  const weights = new Map<string, number>();
  for (const part of (text ?? "").split(",").map((each) => each.trim())) {
    if (part === "") continue;
    const [member = "", weight = ""] = part.split("=").map((each) => each.trim());
    const isMember = familyOfIp(member) !== undefined || parseHostPort(member) !== undefined;
    const value = integer(0, 256)(weight);
    if (isMember && typeof value === "number") weights.set(member, value);
    else problems.push(`annotation ${WEIGHTS}: "${part}" is not understood`);
  }
  return weights;
}

/** The annotations that set a field of the pool's spec, the one that is written anew first. */
export function annotationsFor(path: string): readonly string[] {
  if (path === "addressPool") return [ADDRESS_POOL];
  return Object.entries(READERS).flatMap(([name, [field]]) => (field === path ? [name] : []));
}

/** Fields of a check that make sense for its type alone. */
export const CHECK_DETAILS: readonly string[] = Object.values(READERS)
  .map(([path]) => path)
  .filter((path) => /^healthCheck\.(http|mysql)\./.test(path));

/** A value of a pool's spec as an annotation has it. */
export function annotationText(value: unknown): string {
  return Array.isArray(value) ? value.join(",") : String(value);
}

/** The annotations with other weights of members, by `ip:port`; undefined where none set weights. */
export function withWeights(
  annotations: Readonly<Record<string, string>>,
  weights: ReadonlyMap<string, number>,
): Readonly<Record<string, string>> | undefined {
  const text = annotations[WEIGHTS];
  if (text === undefined) return undefined;
  const parts = text.split(",").map((part) => part.trim());
  const kept = parts.filter((part) => part !== "" && !weights.has(part.split("=")[0]?.trim() ?? ""));
  const set = [...weights].map(([member, weight]) => `${member}=${weight}`);
  return { ...annotations, [WEIGHTS]: [...kept, ...set].join(",") };
}
