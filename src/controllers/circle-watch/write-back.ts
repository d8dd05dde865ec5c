import { type FieldError, formatHostPort } from "../../foundation/index.ts";
import type { Endpoints, Pool, PoolMember, ServicePort } from "../../model/index.ts";
import { CHECK_DETAILS, withWeights } from "./annotations.ts";
import { editSubsets } from "./edit-endpoints.ts";
import { SERVICE_PORT_ANNOTATION } from "./generate.ts";
import { membersOf } from "./members.ts";
import { ownedPaths } from "./ownership.ts";
import { type PoolSources, withAnnotations, withField, withoutAbsent } from "./service-fields.ts";
import { differs, valueAt, withoutPath, withPath } from "./spec-paths.ts";

/** A Pool that a Service owns, what it comes from, and what it shall be. */
export interface WriteBackInput extends PoolSources {
  /** As it is stored. */
  readonly pool: Pool;
  /** As it shall be; valid. */
  readonly wanted: Pool;
}

/** Where the change of a Pool has to be written. */
export interface WriteBack extends PoolSources {
  /** With what is the operator's; what is the Service's follows from the others. */
  readonly pool: Pool;
  /** What neither Service nor Endpoints can say. */
  readonly problems: readonly FieldError[];
}

/** What is found out about the pool once, for every step. */
interface Context extends WriteBackInput {
  readonly portName: string;
  /** Members whose weight is the Service's. */
  readonly weights: ReadonlySet<string>;
  readonly before: ReadonlyMap<string, PoolMember>;
  readonly after: ReadonlyMap<string, PoolMember>;
}

/**
 * Works out how a Service, its Endpoints and the operator's part of a Pool have to be, for circle-watch to make the Pool of
 * them that is wanted: the way back from `generate`. Pure.
 */
export function writeBack(input: WriteBackInput): WriteBack {
  const { pool, wanted } = input;
  const { fields, weights } = ownedPaths(pool);
  const portName = pool.metadata.annotations?.[SERVICE_PORT_ANNOTATION] ?? "";
  const context = { ...input, portName, weights, before: byName(pool), after: byName(wanted) };
  const problems = [...newMemberProblems(context), ...weightProblems(context)];
  let sources = withChangedWeights(withChangedMembers(input, context), context);
  const paths = [...new Set([...fields, ...detailsToMove(context, fields)])];
  for (const path of paths) {
    const value = valueAt(wanted.spec, path);
    if (!differs(valueAt(pool.spec, path), value)) continue;
    const result = withField(sources, { path, value, portName });
    if (typeof result === "string") problems.push(refusal(path, result));
    else sources = result;
  }
  const { service, endpoints } = sources;
  return { service, endpoints, pool: ownPart(context, paths), problems };
}

function withChangedMembers(
  sources: PoolSources,
  { pool, wanted, portName, before, after }: Context,
): PoolSources {
  const { protocol } = wanted.spec;
  const added = wanted.spec.members.filter((member) => !before.has(nameOf(member)));
  const removed = pool.spec.members.filter((member) => !after.has(nameOf(member)));
  const servicePort = portNamed(sources, portName);
  const isOther = protocol !== pool.spec.protocol;
  if (!servicePort || (added.length === 0 && removed.length === 0 && !isOther)) return sources;
  const { name, namespace = "" } = sources.service.metadata;
  const none: Endpoints = { apiVersion: "v1", kind: "Endpoints", metadata: { name, namespace } };
  const { endpoints = none } = sources;
  const edit = { servicePort, added, removed, protocol: isOther ? protocol : servicePort.protocol };
  return { ...sources, endpoints: { ...endpoints, subsets: editSubsets(endpoints.subsets ?? [], edit) } };
}

/** What the pool keeps of a member can be kept once the member is there. */
function newMemberProblems({ wanted, before }: Context): FieldError[] {
  return wanted.spec.members.flatMap((member, index) => {
    if (before.has(nameOf(member))) return [];
    const { weight = 1, state = "ready" } = member;
    const own = [...(weight === 1 ? [] : ["weight"]), ...(state === "ready" ? [] : ["state"])];
    return own.map((field) =>
      refusal(`members[${index}].${field}`, "is the pool's own: save the new member first"),
    );
  });
}

function withChangedWeights(sources: PoolSources, context: Context): PoolSources {
  const notReady = notReadyIn(context);
  const changed = context.wanted.spec.members.filter(
    (member) => isOwnedWeightChanged(context, member) && !notReady.has(nameOf(member)),
  );
  if (changed.length === 0) return sources;
  const weights = new Map(changed.map((member) => [nameOf(member), member.weight ?? 1]));
  return withAnnotations(sources, (annotations) => withWeights(annotations, weights)) ?? sources;
}

function weightProblems(context: Context): FieldError[] {
  const notReady = notReadyIn(context);
  return context.wanted.spec.members.flatMap((member, index) =>
    isOwnedWeightChanged(context, member) && notReady.has(nameOf(member))
      ? [refusal(`members[${index}].weight`, "is 0 while the Endpoints say that it is not ready")]
      : [],
  );
}

function isOwnedWeightChanged({ weights, before }: Context, member: PoolMember): boolean {
  const name = nameOf(member);
  return weights.has(name) && (member.weight ?? 1) !== (before.get(name)?.weight ?? 1);
}

function notReadyIn({ endpoints, portName, ...sources }: Context): ReadonlySet<string> {
  const servicePort = portNamed(sources, portName);
  const described = servicePort ? membersOf(servicePort, endpoints) : [];
  return new Set(described.filter(({ isReady }) => !isReady).map(nameOf));
}

/** Where the type of the check is the Service's, a new one comes with its details: the old one's can't be written before. */
function detailsToMove({ pool, wanted }: Context, owned: readonly string[]): readonly string[] {
  const path = "healthCheck.type";
  const isNew = differs(valueAt(pool.spec, path), valueAt(wanted.spec, path));
  return owned.includes(path) && isNew ? CHECK_DETAILS : [];
}

/** Everything that is the Service's as it is; it follows. */
function ownPart({ pool, wanted, after, weights }: Context, paths: readonly string[]): Pool {
  const members = pool.spec.members.map((member) => {
    const own = after.get(nameOf(member));
    if (!own) return member;
    return weights.has(nameOf(member)) ? withoutAbsent<PoolMember>({ ...own, weight: member.weight }) : own;
  });
  const spec = paths.reduce<Pool["spec"]>(
    (all, path) => {
      const value = valueAt(pool.spec, path);
      const steps = path.split(".");
      return value === undefined ? withoutPath(all, steps) : withPath(all, steps, value);
    },
    { ...wanted.spec, members },
  );
  return { ...wanted, spec };
}

function portNamed({ service }: Pick<PoolSources, "service">, portName: string): ServicePort | undefined {
  return service.spec.ports?.find(({ name = "" }) => name === portName);
}

function byName({ spec }: Pool): ReadonlyMap<string, PoolMember> {
  return new Map(spec.members.map((member) => [nameOf(member), member]));
}

function nameOf({ ip, port }: Pick<PoolMember, "ip" | "port">): string {
  return formatHostPort(ip, port);
}

function refusal(path: string, message: string): FieldError {
  return { field: `spec.${path}`, reason: "FieldValueForbidden", message };
}
