import { type Clock, ParasausError } from "../../foundation/index.ts";
import type { KubeObject } from "../../model/index.ts";
import type { ObjectReference } from "../../resources/index.ts";
import type { LocalResources, TogetherWrite } from "../../resources/local/index.ts";
import { appliedObject } from "../../resources/patch/index.ts";
import type { AppliedDocument } from "../documents.ts";
import { confirmationKey, type StoredConfirmation, writeConfirmation } from "./stored-confirmation.ts";

/** A transaction has 128 writes at most, as etcd does; some are namespaces and the record. */
const MOST_OBJECTS = 100;
const SECONDS = { least: 5, most: 86_400 } as const;

/** What is applied, by whom, and for how long it waits for his word. */
export interface ApplyRequest {
  readonly documents: readonly AppliedDocument[];
  readonly operator: string;
  readonly source: string;
  readonly credential?: string;
  readonly reason?: string;
  readonly dryRun?: boolean;
  /** Absent: it waits for nothing. */
  readonly confirmWithinSeconds?: number;
  readonly onWarning: (message: string) => void;
}

/** What became of one object. */
export type AppliedOutcome = "created" | "configured" | "unchanged";

/** What became of all of them. */
export interface ApplyResult {
  readonly outcomes: readonly AppliedOutcome[];
  /** The objects that changed, as they are now. */
  readonly objects: readonly KubeObject[];
  /** Absent where nothing waits: nothing was changed, or nobody asked for it. */
  readonly confirmation?: { readonly id: string; readonly deadline: string };
}

/** What applying needs. */
export interface ApplySource {
  readonly resources: LocalResources;
  readonly clock: Clock;
  /** Of the store. */
  readonly epoch: number;
  /** A new name that nobody has. */
  readonly makeId: () => string;
}

/**
 * Writes all documents in one transaction, or none, and with them the note that the change is to be taken back.
 *
 * @throws ParasausError as any write does; `BadRequest` for too many, for one that is there twice, and for a time that cannot be
 */
export async function applyTogether(source: ApplySource, request: ApplyRequest): Promise<ApplyResult> {
  const { documents, confirmWithinSeconds, dryRun, reason, credential } = request;
  refuseUnfit(documents);
  const waiting = confirmWithinSeconds === undefined ? undefined : confirmationOf(source, request);
  const found = documents.map(() => false);
  const writes = documents.map(
    ({ reference, file }, index): TogetherWrite => ({
      reference,
      edit: (current) => {
        found[index] = current !== undefined;
        return appliedObject(file, reference.namespace, current);
      },
    }),
  );
  const objects = await source.resources.writeTogether(writes, {
    ...{ verb: "update", operator: request.operator, source: request.source },
    ...(reason === undefined ? {} : { reason }),
    ...(credential === undefined ? {} : { credential }),
    ...(dryRun ? { dryRun } : {}),
    onWarning: request.onWarning,
    ...(waiting
      ? {
          conditions: [{ key: confirmationKey(waiting.id), modRevision: 0 }],
          also: [writeConfirmation(waiting)],
        }
      : {}),
  });
  const changed = new Set(objects.map(nameOfObject));
  const outcomes = documents.map(({ reference }, index): AppliedOutcome => {
    if (!changed.has(nameOfReference(reference))) return "unchanged";
    return found[index] ? "configured" : "created";
  });
  const isWaiting = waiting !== undefined && objects.length > 0 && !dryRun;
  return {
    outcomes,
    objects,
    ...(isWaiting ? { confirmation: { id: waiting.id, deadline: waiting.deadline } } : {}),
  };
}

function confirmationOf(
  { clock, epoch, makeId }: ApplySource,
  { documents, operator, confirmWithinSeconds: withinSeconds = 0 }: ApplyRequest,
): StoredConfirmation & { readonly id: string } {
  const isFit =
    Number.isInteger(withinSeconds) && withinSeconds >= SECONDS.least && withinSeconds <= SECONDS.most;
  if (!isFit) {
    const message = `Cannot wait ${withinSeconds} s for a confirmation: expected ${SECONDS.least} s to ${SECONDS.most} s`;
    throw new ParasausError("BadRequest", message);
  }
  return {
    ...{ id: makeId(), operator, withinSeconds, epoch, state: "pending" },
    deadline: new Date(clock.now().getTime() + withinSeconds * 1_000).toISOString(),
    objects: documents.map(({ reference: { definition, namespace, name } }) => ({
      ...{ kind: definition.kind, name },
      ...(namespace === undefined ? {} : { namespace }),
    })),
  };
}

function refuseUnfit(documents: readonly AppliedDocument[]): void {
  if (documents.length === 0 || documents.length > MOST_OBJECTS) {
    const message = `Cannot apply ${documents.length} objects at once: expected 1 to ${MOST_OBJECTS}`;
    throw new ParasausError("BadRequest", message);
  }
  const names = documents.map(({ reference }) => nameOfReference(reference));
  const twice = names.find((name, index) => names.indexOf(name) !== index);
  if (twice !== undefined)
    throw new ParasausError("BadRequest", `Cannot apply at once what is there twice: ${twice}`);
}

function nameOfReference({ definition, namespace = "", name }: ObjectReference): string {
  return `${definition.kind} ${namespace}/${name}`;
}

function nameOfObject({ kind, metadata: { namespace = "", name } }: KubeObject): string {
  return `${kind} ${namespace}/${name}`;
}
