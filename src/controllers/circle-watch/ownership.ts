import { type FieldError, formatHostPort, ParasausError } from "../../foundation/index.ts";
import {
  completeMember,
  type KubeObject,
  type Pool,
  type PoolMember,
  type ResourceDefinition,
} from "../../model/index.ts";
import { recordOf } from "./merge.ts";
import { differs, valueAt } from "./spec-paths.ts";

/** Who may write what belongs to the Service. */
export const CIRCLE_WATCH_OPERATOR = "system:circle-watch";

/** The part of a write that the rule looks at. */
export interface OwnedWrite {
  readonly definition: ResourceDefinition;
  /** The stored object; absent for create. */
  readonly previous?: KubeObject;
  /** What would be stored; absent for delete. */
  readonly next?: KubeObject;
  readonly options: { readonly operator: string };
}

const ALWAYS_OWNED = ["addressPool", "ip", "port", "lastPort", "protocol"] as const;

/**
 * Refuses to edit what a Pool has from its Service: addressing, protocol, membership, and weight, scheduler and check as
 * far as an annotation sets them. The operator's own fields and `members[].state` stay free.
 *
 * @throws ParasausError `Invalid` with the fields, naming the Service
 */
export function poolOwnershipAdmission({ definition, previous, next, options }: OwnedWrite): void {
  if (definition.kind !== "Pool" || !previous || !next) return;
  if (options.operator === CIRCLE_WATCH_OPERATOR) return;
  const service = previous.metadata.ownerReferences?.find(
    ({ kind, controller }) => kind === "Service" && controller,
  );
  if (!service) return;
  const owner = `Service "${previous.metadata.namespace}/${service.name}"`;
  const fields = ownedChanges(previous as Pool, next as Pool, owner);
  if (fields.length === 0) return;
  const { name } = previous.metadata;
  throw new ParasausError(
    "Invalid",
    `Cannot change pool "${name}": ${fields.map(({ field }) => field).join(", ")} belongs to ${owner}: change it there`,
    { fields, object: { group: definition.group, kind: definition.kind, name } },
  );
}

/** What of a Pool belongs to its Service. */
export interface OwnedPaths {
  /** Paths in the spec. */
  readonly fields: readonly string[];
  /** `ip:port` of the members whose weight does. */
  readonly weights: ReadonlySet<string>;
}

/** What of a Pool that a Service owns belongs to the Service; its members do in any case. */
export function ownedPaths(pool: Pool): OwnedPaths {
  const { fields, weights } = recordOf(pool);
  return { fields: [...ALWAYS_OWNED, ...Object.keys(fields)], weights: new Set(Object.keys(weights)) };
}

function ownedChanges(previous: Pool, next: Pool, owner: string): FieldError[] {
  const record = recordOf(previous);
  const paths = new Set([...ALWAYS_OWNED, ...Object.keys(record.fields)]);
  const changed = [...paths].filter((path) =>
    differs(valueAt(previous.spec, path), valueAt(next.spec, path)),
  );
  return [
    ...changed.map((path) => refusal(`spec.${path}`, `belongs to ${owner}: change it there`)),
    ...membershipChange(previous, next, owner),
    ...weightChanges(previous, next, record.weights, owner),
  ];
}

function membershipChange(previous: Pool, next: Pool, owner: string): FieldError[] {
  const names = ({ spec }: Pool): string[] => spec.members.map(keyOf).sort();
  return differs(names(previous), names(next))
    ? [refusal("spec.members", `the members belong to the Endpoints of ${owner}: change them there`)]
    : [];
}

function weightChanges(
  previous: Pool,
  next: Pool,
  weights: Readonly<Record<string, unknown>>,
  owner: string,
): FieldError[] {
  const weightsBefore = previous.spec.members.map(completeMember);
  const before = new Map(weightsBefore.map((member) => [keyOf(member), member.weight]));
  return next.spec.members.map(completeMember).flatMap((member, index) => {
    const weight = before.get(keyOf(member));
    const isOwned = keyOf(member) in weights && weight !== undefined && weight !== member.weight;
    return isOwned ? [refusal(`spec.members[${index}].weight`, `belongs to ${owner}: change it there`)] : [];
  });
}

function refusal(field: string, message: string): FieldError {
  return { field, reason: "FieldValueForbidden", message };
}

function keyOf({ ip, port }: PoolMember): string {
  return formatHostPort(ip, port);
}
