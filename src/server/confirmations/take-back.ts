import { type Clock, hasCode, type Logger, ParasausError } from "../../foundation/index.ts";
import { apiVersionOf, findDefinition, formatDurationMs, type Pool } from "../../model/index.ts";
import type { ObjectReference } from "../../resources/index.ts";
import type { LocalResources, TogetherWrite } from "../../resources/local/index.ts";
import type { Store, StoreWrite } from "../../store/index.ts";
import { planRevert } from "../rollback/plan-revert.ts";
import {
  type ConfirmedObject,
  confirmationKey,
  type KeptConfirmation,
  type LeftAlone,
  readConfirmation,
  writeConfirmation,
} from "./stored-confirmation.ts";

/** Who takes a change back that nobody confirmed. */
const CONFIRMATIONS_OPERATOR = "system:confirmations";
const MOST_ATTEMPTS = 5;

/** What taking back needs. */
export interface TakeBackSource {
  readonly store: Store;
  readonly resources: LocalResources;
  readonly pools: ReadonlyMap<string, Pool>;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Of the store. */
  readonly epoch: number;
}

/**
 * Takes a change back that nobody has confirmed, in one transaction with the note that this was done: once, however many
 * servers try. What was changed since is left alone, with an operation that says so.
 */
export async function takeBack(source: TakeBackSource, id: string): Promise<void> {
  for (let attempt = 1; ; attempt += 1) {
    const entry = await source.store.get(confirmationKey(id));
    const confirmation = entry && readConfirmation(entry);
    if (confirmation?.state !== "pending") return;
    try {
      await takeBackOnce(source, confirmation);
      return;
    } catch (failure) {
      if (!hasCode(failure, "Conflict") || attempt === MOST_ATTEMPTS) throw failure;
    }
  }
}

async function takeBackOnce(source: TakeBackSource, confirmation: KeptConfirmation): Promise<void> {
  const { resources, store, clock, logger } = source;
  const { writes, leftAlone } = await decide(source, confirmation);
  const finished = clock.now().toISOString();
  const done = { ...confirmation, state: "reverted" as const, finished, leftAlone };
  const condition = { key: confirmationKey(confirmation.id), modRevision: confirmation.modRevision };
  const also: readonly StoreWrite[] = [
    writeConfirmation(done),
    ...leftAlone.map((each) => resources.recordWrite(leftAloneEvent(confirmation, each))),
  ];
  const options = { operator: CONFIRMATIONS_OPERATOR, reason: reasonOf(confirmation) };
  const objects = await resources.writeTogether(writes, { ...options, conditions: [condition], also });
  if (objects.length === 0) {
    const { succeeded } = await store.transact([condition], also);
    if (!succeeded) throw new ParasausError("Conflict", "Cannot take a change back: somebody else did");
  }
  logger.warn("change taken back, nobody confirmed it", {
    ...{ confirmation: confirmation.id, operator: confirmation.operator },
    ...{ objectCount: objects.length, leftAloneCount: leftAlone.length },
  });
}

interface Decision {
  readonly writes: readonly TogetherWrite[];
  readonly leftAlone: readonly LeftAlone[];
}

async function decide(source: TakeBackSource, confirmation: KeptConfirmation): Promise<Decision> {
  const { resources, pools, epoch } = source;
  if (confirmation.epoch !== epoch) {
    const why = "a backup was restored into the store since";
    return { writes: [], leftAlone: confirmation.objects.map((object) => ({ ...object, why })) };
  }
  const references = confirmation.objects.flatMap(referenceTo);
  const revision = resources.resourceVersionAt(confirmation.changeRevision);
  const plan = await planRevert({ resources, pools }, { references, revision }, () => undefined);
  const leftAlone = plan.leftAlone.map(({ reference, why }) => ({ ...namesOf(reference), why }));
  const writes: TogetherWrite[] = [];
  for (const write of plan.writes) {
    const refusal = await refusalOf(source, write);
    if (refusal === undefined) writes.push(write);
    else leftAlone.push({ ...namesOf(write.reference), why: refusal });
  }
  return { writes, leftAlone };
}

/** Why an object cannot be what it was, e.g. because its address is another pool's by now. */
async function refusalOf({ resources }: TakeBackSource, write: TogetherWrite): Promise<string | undefined> {
  try {
    await resources.writeTogether([write], { operator: CONFIRMATIONS_OPERATOR, dryRun: true });
    return undefined;
  } catch (failure) {
    const isRefusal =
      failure instanceof ParasausError && !["Unavailable", "FenceLost"].includes(failure.code);
    if (!isRefusal) throw failure;
    return failure.message;
  }
}

function leftAloneEvent(confirmation: KeptConfirmation, { why, ...object }: LeftAlone) {
  const definition = findDefinition(object.kind);
  return {
    ...{ operator: CONFIRMATIONS_OPERATOR, verb: "refuse" as const, reason: reasonOf(confirmation) },
    object: { apiVersion: definition ? apiVersionOf(definition) : "", uid: "", ...object },
    message: `Cannot take the change of ${object.kind} "${object.name}" back: ${why}; it is left as it is`,
  };
}

function reasonOf({ id, operator, withinSeconds }: KeptConfirmation): string {
  return `not confirmed by ${operator} within ${formatDurationMs(withinSeconds * 1_000)} (${id})`;
}

function referenceTo({ kind, namespace, name }: ConfirmedObject): readonly ObjectReference[] {
  const definition = findDefinition(kind);
  return definition ? [{ definition, name, ...(namespace === undefined ? {} : { namespace }) }] : [];
}

function namesOf({ definition, namespace, name }: ObjectReference): ConfirmedObject {
  return { kind: definition.kind, name, ...(namespace === undefined ? {} : { namespace }) };
}
