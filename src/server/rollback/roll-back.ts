import { ParasausError } from "../../foundation/index.ts";
import {
  type KubeObject,
  type Operation,
  operationDefinition,
  type Pool,
  type ResourceDefinition,
} from "../../model/index.ts";
import type { ObjectReference, WriteOptions } from "../../resources/index.ts";
import type { LocalResources, TogetherWrite } from "../../resources/local/index.ts";
import { ownerOf, ownersObjects } from "../owned-pool.ts";
import { refuseTakenAddress } from "./address-holder.ts";
import { type OnWarning, restoredMember, restoredObject, restoredOwnFields } from "./restored-object.ts";
import { changesOf, type PastState, type RecordedState, stateAt } from "./state-at.ts";

/** What is rolled back, and to where. */
export interface RollbackRequest {
  readonly reference: ObjectReference;
  /** resourceVersion; the object becomes what it was right after. Absent: what it was before the last operation. */
  readonly revision?: string;
  /** `ip:port`: this member of a pool alone. */
  readonly member?: string;
}

/** What a rollback needs. */
export interface RollbackSource {
  readonly resources: LocalResources;
  readonly pools: ReadonlyMap<string, Pool>;
}

/** What it writes, before it does. */
export interface RollbackPlan {
  readonly writes: readonly TogetherWrite[];
  readonly revision: string;
}

/**
 * Works out what has to be written.
 *
 * @throws ParasausError `NotFound` when the record has nothing of the object, `Invalid` when it was not there then, `BadRequest`
 */
export async function planRollback(
  source: RollbackSource,
  request: RollbackRequest,
  onWarning: OnWarning,
): Promise<RollbackPlan> {
  const { reference, member } = request;
  const operations = (await source.resources.list(operationDefinition)).items as readonly Operation[];
  const current = await find(source.resources, reference);
  const owner = member === undefined ? ownerOf(reference, current) : undefined;
  const involved = [reference, ...(owner ? ownersObjects(owner) : [])];
  const histories = involved.map((each) => ({
    reference: each,
    changes: changesOf(operations, nameOf(each)),
  }));
  const revision = revisionOf(
    request,
    histories.map(({ changes }) => changes),
  );
  const [own, ...others] = histories.map(({ changes, ...each }) => ({
    ...each,
    past: stateAt(changes, revision),
  }));
  if (!own) throw new ParasausError("Internal", "Cannot roll back: nothing is named");
  const first = owner
    ? ownedPoolWrite(own.reference, own.past, onWarning)
    : wholeWrite(own.reference, known(own.past, request), { member, onWarning, pools: source.pools });
  const writes = [
    ...others.flatMap(({ reference: each, past }) =>
      past.kind === "known" ? [wholeWrite(each, past, { onWarning, pools: source.pools })] : [],
    ),
    ...first,
  ];
  return { writes: writes.flat(), revision: String(revision) };
}

/** Rolls back: one transaction, one operation. @returns every object that was written, as it is now */
export async function rollBack(
  { resources }: RollbackSource,
  { writes }: RollbackPlan,
  options: WriteOptions,
): Promise<readonly KubeObject[]> {
  return resources.writeTogether(writes, options);
}

/** Every operation on an object and, of a pool, on the Service and the Endpoints that it comes from; the newest first. */
export async function historyOf(
  { resources }: Pick<RollbackSource, "resources">,
  reference: ObjectReference,
): Promise<readonly Operation[]> {
  const current = await find(resources, reference);
  const owner = ownerOf(reference, current);
  const names = [reference, ...(owner ? ownersObjects(owner) : [])].map(nameOf);
  const operations = (await resources.list(operationDefinition)).items as readonly Operation[];
  return operations
    .filter((operation) => names.some((name) => changesOf([operation], name).length > 0))
    .toReversed();
}

function known(
  past: PastState,
  { reference, revision }: RollbackRequest,
): Extract<PastState, { kind: "known" }> {
  if (past.kind === "known") return past;
  const { kind } = reference.definition;
  const when = revision === undefined ? "before its last operation" : `at revision ${revision}`;
  throw new ParasausError(
    "Invalid",
    `Cannot roll back ${kind} "${reference.name}": it was not there ${when}; choose another revision (parasaus history), or delete it`,
  );
}

interface WholeOptions {
  readonly member?: string | undefined;
  readonly onWarning: OnWarning;
  readonly pools: ReadonlyMap<string, Pool>;
}

/** The whole object, or one member of it, as it was. */
export function wholeWrite(
  reference: ObjectReference,
  { state }: Extract<PastState, { kind: "known" }>,
  { member, onWarning, pools }: WholeOptions,
): TogetherWrite[] {
  const edit = (current: KubeObject | undefined): unknown => {
    if (member !== undefined) {
      if (current?.kind === "Pool") return restoredMember(current as Pool, state, member);
      throw new ParasausError(
        "BadRequest",
        "Cannot roll back a member: only a pool that is there has members",
      );
    }
    const next = restoredObject(reference, current, state, onWarning);
    if (next.kind === "Pool") refuseTakenAddress(next as Pool, pools);
    return next;
  };
  return [{ reference, edit }];
}

/** Only what is the operator's; what is the Service's comes back with the Service. */
export function ownedPoolWrite(
  reference: ObjectReference,
  past: PastState,
  onWarning: OnWarning,
): TogetherWrite[] {
  if (past.kind !== "known") return [];
  const edit = (current: KubeObject | undefined) =>
    current ? restoredOwnFields(current as Pool, past.state, onWarning) : undefined;
  return [{ reference, edit }];
}

function revisionOf(
  { revision, reference }: RollbackRequest,
  changes: readonly (readonly RecordedState[])[],
): bigint {
  const all = changes.flat().map((change) => change.revision);
  if (all.length === 0) {
    const { definition, name } = reference;
    const message = `Cannot roll back ${definition.kind} "${name}": the record has no operation on it`;
    throw new ParasausError("NotFound", message);
  }
  if (revision === undefined) return all.reduce((a, b) => (a > b ? a : b)) - 1n;
  if (/^\d{1,18}$/.test(revision)) return BigInt(revision);
  throw new ParasausError("BadRequest", `Cannot roll back to "${revision}": a revision is a number`);
}

/** What the record calls an object. */
export function nameOf({
  definition,
  namespace,
  name,
}: { readonly definition: ResourceDefinition } & ObjectReference) {
  return { kind: definition.kind, name, ...(namespace === undefined ? {} : { namespace }) };
}

/** The object as it is; undefined: it is not there. */
export async function find(
  resources: LocalResources,
  reference: ObjectReference,
): Promise<KubeObject | undefined> {
  try {
    return await resources.get(reference);
  } catch (failure) {
    if (failure instanceof ParasausError && failure.code === "NotFound") return undefined;
    throw failure;
  }
}
