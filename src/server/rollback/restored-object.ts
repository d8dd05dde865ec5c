import { ownedPaths } from "../../controllers/index.ts";
import { formatHostPort, ParasausError } from "../../foundation/index.ts";
import {
  apiVersionOf,
  KEPT_ANNOTATIONS,
  type KubeObject,
  type Pool,
  type PoolMember,
} from "../../model/index.ts";
import type { ObjectReference } from "../../resources/index.ts";
import { MASK } from "../../resources/local/index.ts";
import type { RecordedObject } from "./state-at.ts";

type Json = Readonly<Record<string, unknown>>;

/** Adds what could not be brought back. */
export type OnWarning = (message: string) => void;

/**
 * The whole object as it was. Secrets are not in the record: where the object is there they stay as they are, else they are
 * left out, with a warning.
 */
export function restoredObject(
  reference: ObjectReference,
  current: KubeObject | undefined,
  past: RecordedObject,
  onWarning: OnWarning,
): KubeObject {
  const { definition, name, namespace } = reference;
  const { metadata: was = {}, ...content } = past;
  const { metadata: is, ...now } = (current ?? { metadata: undefined }) as Partial<KubeObject>;
  const unmasked = unmask(content, now, "", onWarning) as Json;
  const annotations = { ...was.annotations, ...keptIn(is?.annotations) };
  const { labels: _labels, annotations: _annotations, ...kept } = is ?? {};
  return {
    ...unmasked,
    ...{ apiVersion: apiVersionOf(definition), kind: definition.kind },
    metadata: {
      ...kept,
      name,
      ...(namespace === undefined ? {} : { namespace }),
      ...(was.labels ? { labels: was.labels } : {}),
      ...(Object.keys(annotations).length > 0 ? { annotations } : {}),
    },
  };
}

/** A pool that a Service owns, with the operator's own fields as they were; the rest comes from the Service. */
export function restoredOwnFields(current: Pool, past: RecordedObject, onWarning: OnWarning): Pool {
  const was = unmask(past["spec"] ?? {}, current.spec, "spec", onWarning) as Pool["spec"];
  const { fields, weights } = ownedPaths(current);
  const owned = new Set(["members", ...fields.map((path) => path.split(".")[0] ?? "")]);
  const own = fieldsOf(was, (field) => !owned.has(field));
  const kept = fieldsOf(current.spec, (field) => owned.has(field));
  const before = new Map((was.members ?? []).map((member) => [nameOf(member), member]));
  const members = current.spec.members.map((member) => {
    const old = before.get(nameOf(member));
    return old ? withOwnFields(member, old, weights.has(nameOf(member))) : member;
  });
  // Each field that a pool must have is in one of the two: both were whole pools.
  return { ...current, spec: { ...own, ...kept, members } as Pool["spec"] };
}

function fieldsOf(spec: Pool["spec"], isMeant: (field: string) => boolean): Partial<Pool["spec"]> {
  return Object.fromEntries(Object.entries(spec).filter(([field]) => isMeant(field)));
}

/**
 * The pool with one member as it was: changed, back again, or gone.
 *
 * @throws ParasausError `NotFound` when the pool has no such member, now or then
 */
export function restoredMember(current: Pool, past: RecordedObject | undefined, member: string): Pool {
  const was = ((past?.["spec"] as Partial<Pool["spec"]> | undefined)?.members ?? []).find(
    (each) => nameOf(each) === member,
  );
  const index = current.spec.members.findIndex((each) => nameOf(each) === member);
  if (!was && index < 0) {
    const message = `Cannot roll back the member ${member}: the pool "${current.metadata.name}" has none, now or then`;
    throw new ParasausError("NotFound", message);
  }
  const others = current.spec.members.filter((_, position) => position !== index);
  const place = index < 0 ? others.length : index;
  const members = was ? [...others.slice(0, place), was, ...others.slice(place)] : others;
  return { ...current, spec: { ...current.spec, members } };
}

function withOwnFields(member: PoolMember, old: PoolMember, isWeightOwned: boolean): PoolMember {
  const { state: _state, drainSeconds: _seconds, weight, ...rest } = member;
  const kept = isWeightOwned ? weight : old.weight;
  return {
    ...rest,
    ...(kept === undefined ? {} : { weight: kept }),
    ...(old.state === undefined ? {} : { state: old.state }),
    ...(old.drainSeconds === undefined ? {} : { drainSeconds: old.drainSeconds }),
  };
}

function nameOf({ ip, port }: PoolMember): string {
  return formatHostPort(ip, port);
}

function keptIn(annotations: Readonly<Record<string, string>> | undefined): Readonly<Record<string, string>> {
  const kept = Object.entries(annotations ?? {}).filter(([key]) => KEPT_ANNOTATIONS.includes(key));
  return Object.fromEntries(kept);
}

/** Puts what is secret now in the place of what the record hides. */
function unmask(past: unknown, current: unknown, path: string, onWarning: OnWarning): unknown {
  if (Array.isArray(past)) {
    const now = Array.isArray(current) ? current : [];
    return past.map((each, index) => unmask(each, now[index], `${path}[${index}]`, onWarning));
  }
  if (typeof past !== "object" || past === null) return past;
  const now = (current ?? {}) as Json;
  const entries = Object.entries(past).flatMap(([key, value]): [string, unknown][] => {
    const place = path === "" ? key : `${path}.${key}`;
    if (value !== MASK) return [[key, unmask(value, now[key], place, onWarning)]];
    if (typeof now[key] === "string") return [[key, now[key]]];
    onWarning(`${place} is a secret and not in the record: set it again`);
    return [];
  });
  return Object.fromEntries(entries);
}
