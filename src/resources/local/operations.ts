import { isDeepStrictEqual } from "node:util";
import { formatHostPort } from "../../foundation/index.ts";
import {
  apiVersionOf,
  type KubeObject,
  type Operation,
  operationDefinition,
  type PoolMember,
} from "../../model/index.ts";
import type { StoreWrite } from "../../store/index.ts";
import type { WriteOptions } from "../resources.ts";
import { keyOf } from "./keys.ts";

/** Stands in Operations for secrets: they are read by more people than the objects. */
export const MASK = "********";
const SECRET_KEYS = /password|passwd|secret|token/i;
/** A copy of the whole object in which a secret would be text among text. */
const LAST_APPLIED = "kubectl.kubernetes.io/last-applied-configuration";

/** One change, as far as an Operation tells of it. */
export interface RecordedChange {
  readonly verb: "create" | "update" | "patch" | "delete";
  readonly before?: KubeObject | undefined;
  readonly after?: KubeObject | undefined;
  readonly options: Pick<WriteOptions, "operator" | "reason" | "source" | "credential">;
}

/** Something that changed no object: a login, a refusal; or a change of what is in no object, such as a password. */
export type RecordedEvent = Omit<Operation["spec"], "time" | "revision">;

/** What names and dates an Operation. */
export interface OperationStamp {
  readonly now: Date;
  /** Rises from Operation to Operation of one process, microseconds since 1970 or a little ahead of it. */
  readonly sequence: number;
  readonly uid: string;
  /** Tells apart what two processes do at the same time. */
  readonly suffix: string;
}

/**
 * The write that records a change in the change's own transaction.
 * Nothing for controllers and agents (`system:…`), and nothing when what a person can set stayed as it was.
 */
export function recordChange(change: RecordedChange, stamp: OperationStamp): StoreWrite[] {
  if (change.options.operator.startsWith("system:")) return [];
  const event = eventOf(change);
  return event ? [recordEvent(event, stamp)] : [];
}

/** The write that records something that happened. */
export function recordEvent(event: RecordedEvent, stamp: OperationStamp): StoreWrite {
  const operation = operationOf(event, stamp);
  const key = keyOf({ definition: operationDefinition, name: operation.metadata.name });
  return { kind: "put", key, value: JSON.stringify(operation) };
}

/** What a change is in the record; undefined when what a person can set stayed as it was. */
export function eventOf({ verb, before, after, options }: RecordedChange): RecordedEvent | undefined {
  const subject = after ?? before;
  if (!subject || (before && after && isDeepStrictEqual(ownPart(before), ownPart(after)))) return undefined;
  const { name, namespace, uid = "" } = subject.metadata;
  const member = onlyChangedMember(before, after);
  const isDrain = member !== undefined && isDraining(after, member) && !isDraining(before, member);
  return {
    verb: isDrain ? "drain" : verb,
    object: {
      apiVersion: subject.apiVersion,
      kind: subject.kind,
      ...(namespace ? { namespace } : {}),
      name,
      uid,
    },
    ...(member ? { member } : {}),
    ...whoAsked(options),
    ...(before ? { before: maskSecrets(ownPart(before)) } : {}),
    ...(after ? { after: maskSecrets(ownPart(after)) } : {}),
  };
}

function whoAsked({
  operator,
  reason,
  source,
  credential,
}: RecordedChange["options"]): Pick<RecordedEvent, "operator" | "reason" | "source" | "credential"> {
  return {
    operator,
    ...(reason ? { reason } : {}),
    ...(source ? { source } : {}),
    ...(credential ? { credential } : {}),
  };
}

function operationOf({ operator, verb, ...event }: RecordedEvent, stamp: OperationStamp): Operation {
  return {
    apiVersion: apiVersionOf(operationDefinition) as Operation["apiVersion"],
    kind: "Operation",
    metadata: {
      // Eleven digits of base 36 hold microseconds until the year 6140, so that names sort by time.
      name: `${stamp.sequence.toString(36).padStart(11, "0")}-${stamp.suffix}`,
      uid: stamp.uid,
      generation: 1,
      creationTimestamp: secondsOf(stamp.now),
    },
    spec: {
      operator,
      time: stamp.now.toISOString(),
      verb,
      ...event,
      // Known when the transaction is done, and then the Operation's own: filled in by whoever reads it.
      revision: "",
    },
  };
}

/** RFC 3339 without fractions, as Kubernetes writes times. */
export function secondsOf(time: Date): string {
  return `${time.toISOString().slice(0, 19)}Z`;
}

/** What a person writes: all but status and what the server keeps in the metadata. */
export function ownPart(object: KubeObject): Readonly<Record<string, unknown>> {
  const { apiVersion, kind, metadata, status, ...content } = object as KubeObject & { status?: unknown };
  const { labels, annotations, finalizers, ownerReferences, deletionTimestamp } = metadata;
  const { [LAST_APPLIED]: _, ...ownAnnotations } = annotations ?? {};
  const kept = {
    labels,
    annotations: Object.keys(ownAnnotations).length > 0 ? ownAnnotations : undefined,
    finalizers,
    ownerReferences,
    deletionTimestamp,
  };
  const present = Object.entries(kept).filter(([, value]) => value !== undefined);
  return present.length > 0 ? { metadata: Object.fromEntries(present), ...content } : content;
}

function maskSecrets(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(maskSecrets);
  if (typeof value !== "object" || value === null) return value;
  const entries = Object.entries(value).map(([key, field]) => [
    key,
    typeof field === "string" ? maskedText(key, field) : maskSecrets(field),
  ]);
  return Object.fromEntries(entries);
}

/** The text of a field, or a mask where its name says that it is a secret. */
export function maskedText(key: string, text: string): string {
  return SECRET_KEYS.test(key) ? MASK : text;
}

/** `ip:port` when exactly one member came, went or changed, and nothing else did. */
function onlyChangedMember(
  before: KubeObject | undefined,
  after: KubeObject | undefined,
): string | undefined {
  if (!before || !after || !isDeepStrictEqual(withoutMembers(before), withoutMembers(after)))
    return undefined;
  const [old, next] = [membersOf(before), membersOf(after)];
  const names = new Set([...old.keys(), ...next.keys()]);
  const changed = [...names].filter((name) => !isDeepStrictEqual(old.get(name), next.get(name)));
  return changed.length === 1 ? changed[0] : undefined;
}

function isDraining(object: KubeObject | undefined, member: string): boolean {
  return object !== undefined && membersOf(object).get(member)?.state === "drain";
}

function membersOf(object: KubeObject): Map<string, PoolMember> {
  const { members = [] } = specOf(object) as { members?: readonly PoolMember[] };
  return new Map(members.map((member) => [formatHostPort(member.ip, member.port), member]));
}

function withoutMembers(object: KubeObject): unknown {
  const own = ownPart(object);
  return { ...own, spec: { ...specOf(object), members: undefined } };
}

function specOf(object: KubeObject): object {
  return (object as KubeObject & { spec?: object }).spec ?? {};
}
