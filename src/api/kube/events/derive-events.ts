import { createHash } from "node:crypto";
import { formatHostPort } from "../../../foundation/index.ts";
import {
  type Condition,
  isBadNews,
  type KubeEvent,
  type KubeObject,
  type MemberStatus,
  type Operation,
  type Pool,
  type Verdict,
} from "../../../model/index.ts";

/** Namespace of the events of an object that has none, as in Kubernetes. */
const CLUSTER_NAMESPACE = "default";

type Subject = KubeEvent["involvedObject"];

/** One thing that happened, as the source tells it. */
interface Happening {
  readonly subject: Subject;
  /** RFC 3339. */
  readonly time: string;
  readonly type: KubeEvent["type"];
  readonly reason: string;
  readonly message: string;
  readonly component: string;
  readonly resourceVersion: string | undefined;
}

/** Which events are wanted of those that there are. */
export interface EventFilter {
  /** Nothing older, milliseconds since 1970; absent: of any age. */
  readonly sinceMs?: number;
  /** Absent: all. */
  readonly matches?: (event: KubeEvent) => boolean;
  /** The newest so many, a count; absent: all. */
  readonly limitCount?: number;
}

/**
 * What the stored objects and Operations tell of what happened, oldest first: each Operation, and the last change of each
 * condition and of each member's verdict. What was before that is not stored. Pure.
 */
export function deriveEvents(
  objects: readonly KubeObject[],
  operations: readonly Operation[],
  { sinceMs = Number.NEGATIVE_INFINITY, matches, limitCount = Number.POSITIVE_INFINITY }: EventFilter = {},
): KubeEvent[] {
  const happenings = [
    ...operations.map(operationHappening),
    ...objects.flatMap((object) => [...conditionHappenings(object), ...verdictHappenings(object)]),
  ];
  const newestFirst = happenings
    .map((happening) => ({ happening, timeMs: Date.parse(happening.time) }))
    .filter(({ timeMs }) => timeMs >= sinceMs)
    .sort((a, b) => b.timeMs - a.timeMs);
  const events: KubeEvent[] = [];
  // Only what is asked for is made into events: there may be hundreds of thousands of happenings.
  for (const { happening, timeMs } of newestFirst) {
    if (events.length >= limitCount) break;
    const event = toEvent(happening, timeMs);
    if (matches?.(event) ?? true) events.push(event);
  }
  return events.reverse();
}

/** The namespace that the events of an object are in. */
export function eventNamespaceOf({ namespace }: { readonly namespace?: string }): string {
  return namespace || CLUSTER_NAMESPACE;
}

const VERBS: Readonly<Record<Operation["spec"]["verb"], readonly [reason: string, word: string]>> = {
  create: ["Created", "created"],
  update: ["Updated", "updated"],
  patch: ["Patched", "changed"],
  delete: ["Deleted", "deleted"],
  drain: ["Drained", "drained"],
  rollback: ["RolledBack", "rolled back"],
  login: ["LoggedIn", "logged in as"],
  logout: ["LoggedOut", "logged out of"],
  refuse: ["Refused", "was refused"],
};

function operationHappening({ spec, metadata }: Operation): Happening {
  const [reason, word] = VERBS[spec.verb];
  const why = spec.reason ? `: ${spec.reason}` : "";
  const { member } = spec;
  return {
    subject: member === undefined ? spec.object : { ...spec.object, fieldPath: memberPath(member) },
    time: spec.time,
    type: spec.verb === "refuse" ? "Warning" : "Normal",
    reason,
    message: `${spec.operator} ${word} ${member ?? "it"}${why}`,
    component: "api",
    resourceVersion: metadata.resourceVersion,
  };
}

function conditionHappenings(object: KubeObject): Happening[] {
  const { status } = object as { status?: { conditions?: readonly Condition[] } };
  return (status?.conditions ?? []).map((condition) => ({
    subject: subjectOf(object),
    time: condition.lastTransitionTime,
    type: isBadNews(condition) ? "Warning" : "Normal",
    reason: condition.reason,
    message: condition.message,
    component: writerOf(object.kind, condition.type),
    resourceVersion: object.metadata.resourceVersion,
  }));
}

/** Who writes a condition. */
function writerOf(kind: string, type: string): string {
  if (kind === "Node") return "agent";
  if (kind === "Service") return "circle-watch";
  return type === "Available" ? "circle-healthcheck" : "allocator";
}

const VERDICT_REASONS: Readonly<Record<Verdict, string>> = {
  up: "MemberUp",
  down: "MemberDown",
  unchecked: "MemberUnchecked",
};

function verdictHappenings(object: KubeObject): Happening[] {
  if (object.kind !== "Pool") return [];
  return ((object as Pool).status?.members ?? []).map((member) => verdictHappening(object, member));
}

function verdictHappening(pool: KubeObject, { ip, port, verdict, reason, since }: MemberStatus): Happening {
  const member = formatHostPort(ip, port);
  return {
    subject: { ...subjectOf(pool), fieldPath: memberPath(member) },
    time: since,
    type: verdict === "down" ? "Warning" : "Normal",
    reason: VERDICT_REASONS[verdict],
    message: `${member} is ${verdict}: ${reason}`,
    component: "circle-healthcheck",
    resourceVersion: pool.metadata.resourceVersion,
  };
}

/** As Kubernetes names one of several containers: `spec.containers{web}`. */
function memberPath(member: string): string {
  return `spec.members{${member}}`;
}

function subjectOf({ apiVersion, kind, metadata: { namespace, name, uid } }: KubeObject): Subject {
  return {
    apiVersion,
    kind,
    ...(namespace ? { namespace } : {}),
    name,
    ...(uid === undefined ? {} : { uid }),
  };
}

function toEvent(happening: Happening, timeMs: number): KubeEvent {
  const { subject, time, type, reason, message, component, resourceVersion } = happening;
  const timestamp = `${new Date(timeMs).toISOString().slice(0, 19)}Z`;
  // The same thing has the same name whenever it is asked for.
  const identity = JSON.stringify([subject.uid, subject.fieldPath, component, reason, time]);
  const suffix = createHash("sha256").update(identity).digest("hex").slice(0, 16);
  return {
    apiVersion: "v1",
    kind: "Event",
    metadata: {
      name: `${subject.name}.${suffix}`,
      namespace: eventNamespaceOf(subject),
      creationTimestamp: timestamp,
      ...(resourceVersion === undefined ? {} : { resourceVersion }),
    },
    involvedObject: subject,
    type,
    reason,
    message,
    source: { component },
    reportingComponent: component,
    firstTimestamp: timestamp,
    lastTimestamp: timestamp,
    count: 1,
  };
}
