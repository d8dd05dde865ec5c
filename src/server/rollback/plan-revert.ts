import { ParasausError } from "../../foundation/index.ts";
import { type KubeObject, type Operation, operationDefinition, type Pool } from "../../model/index.ts";
import type { ObjectReference } from "../../resources/index.ts";
import type { LocalResources, TogetherWrite } from "../../resources/local/index.ts";
import { ownerOf } from "../owned-pool.ts";
import type { OnWarning } from "./restored-object.ts";
import { find, nameOf, ownedPoolWrite, wholeWrite } from "./roll-back.ts";
import { changesOf, type PastState, stateAt } from "./state-at.ts";

/** One change of several objects, made at one revision. */
export interface RevertRequest {
  readonly references: readonly ObjectReference[];
  /** resourceVersion that the change made. */
  readonly revision: string;
}

/** What takes it back. */
export interface RevertPlan {
  readonly writes: readonly TogetherWrite[];
  /** Objects that somebody changed since, or of which the record knows nothing. */
  readonly leftAlone: readonly { readonly reference: ObjectReference; readonly why: string }[];
}

/**
 * Works out what takes one change back: each object as it was right before, one that the change made is deleted. Whatever
 * anybody has done since is left alone.
 */
export async function planRevert(
  { resources, pools }: { readonly resources: LocalResources; readonly pools: ReadonlyMap<string, Pool> },
  { references, revision }: RevertRequest,
  onWarning: OnWarning,
): Promise<RevertPlan> {
  const seen = await Promise.all(
    references.map(async (reference) => ({ reference, current: await find(resources, reference) })),
  );
  // Read after the objects: whatever is recorded later has made another version of them.
  const operations = (await resources.list(operationDefinition)).items as readonly Operation[];
  const decided = seen.map(({ reference, current }) => {
    const why = whyLeftAlone(operations, reference, BigInt(revision));
    if (why !== undefined) return { writes: [], leftAlone: [{ reference, why }] };
    const past = stateAt(changesOf(operations, nameOf(reference)), BigInt(revision) - 1n);
    return { writes: writesFor(reference, current, past, { pools, onWarning }), leftAlone: [] };
  });
  return {
    writes: decided.flatMap(({ writes }) => writes),
    leftAlone: decided.flatMap(({ leftAlone }) => leftAlone),
  };
}

/** Undefined: nothing speaks against taking it back. */
function whyLeftAlone(
  operations: readonly Operation[],
  reference: ObjectReference,
  revision: bigint,
): string | undefined {
  const later = laterOperation(operations, reference, revision);
  if (later) return `${later.spec.operator} changed it since (${later.spec.verb}, ${later.spec.revision})`;
  const isRecorded = changesOf(operations, nameOf(reference)).some((each) => each.revision === revision);
  return isRecorded ? undefined : "the record has forgotten what it was";
}

function writesFor(
  reference: ObjectReference,
  current: KubeObject | undefined,
  past: PastState,
  { pools, onWarning }: { readonly pools: ReadonlyMap<string, Pool>; readonly onWarning: OnWarning },
): readonly TogetherWrite[] {
  if (past.kind !== "known") return current ? [{ reference, isRemoved: true }] : [];
  const isOwned = ownerOf(reference, current) !== undefined;
  const writes = isOwned
    ? ownedPoolWrite(reference, past, onWarning)
    : wholeWrite(reference, past, { onWarning, pools });
  return writes.map((write) => unchangedSince(write, current?.metadata.resourceVersion));
}

/** Refuses to write over a version that was not looked at. */
function unchangedSince(write: TogetherWrite, version: string | undefined): TogetherWrite {
  if (write.isRemoved) return write;
  return {
    reference: write.reference,
    edit: (current) => {
      if (current?.metadata.resourceVersion !== version) throw changedMeanwhile(write.reference);
      return write.edit(current);
    },
  };
}

function changedMeanwhile({ definition, name }: ObjectReference): ParasausError {
  const message = `Cannot take a change of ${definition.kind} "${name}" back: it was changed while it was looked at`;
  return new ParasausError("Conflict", message);
}

function laterOperation(
  operations: readonly Operation[],
  reference: ObjectReference,
  revision: bigint,
): Operation | undefined {
  return operations.find(
    (operation) =>
      BigInt(operation.spec.revision) > revision && changesOf([operation], nameOf(reference)).length > 0,
  );
}
