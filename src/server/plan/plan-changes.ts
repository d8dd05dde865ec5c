import { foreseeControllers } from "../../controllers/index.ts";
import { type Clock, hasCode, ParasausError } from "../../foundation/index.ts";
import {
  apiVersionOf,
  type KubeObject,
  type PlannedObject,
  type PlannedOutcome,
  type Pool,
  poolDefinition,
} from "../../model/index.ts";
import { findObject, type ObjectReference, type Resources } from "../../resources/index.ts";
import type { LocalResources } from "../../resources/local/index.ts";
import { type AppliedFile, appliedObject } from "../../resources/patch/index.ts";
import { createDraftStore, type Store } from "../../store/index.ts";
import { readDocument } from "../documents.ts";
import { type OwnedPoolWrite, writesThroughService } from "../owned-pool.ts";
import { type OnWarning, restoredObject } from "../rollback/restored-object.ts";
import { fieldChanges } from "./field-changes.ts";

/** What is to be planned. */
export interface PlanRequest {
  /** Objects as files have them. */
  readonly documents: readonly unknown[];
  /** For those that name none. */
  readonly namespace?: string;
  /** `apply` joins each with what is stored, as `parasaus apply` does; `replace` puts it in its place. */
  readonly mode: "apply" | "replace";
  readonly operator: string;
}

/** What planning needs. */
export interface PlanSource {
  readonly resources: LocalResources;
  readonly store: Store;
  /** Every pool that is stored, by uid. */
  readonly pools: ReadonlyMap<string, Pool>;
  readonly clock: Clock;
  /** @throws ParasausError `Forbidden` when who asks may not write it */
  readonly permit: (reference: ObjectReference) => Promise<void>;
}

/** A pool that would not be as it was. */
export interface ChangedPool {
  /** Position in `objects`. */
  readonly objectIndex: number;
  readonly before: Pool | undefined;
  readonly after: Pool | undefined;
}

/** What would become of the objects; of live traffic nothing is known yet. */
export interface PlannedChanges {
  readonly objects: readonly PlannedObject[];
  readonly pools: readonly ChangedPool[];
}

/**
 * Writes the documents into a draft, has the controllers do their part there, and looks at what came of it. What refuses a
 * document is what would refuse the write; nothing is stored.
 */
export async function planChanges(source: PlanSource, request: PlanRequest): Promise<PlannedChanges> {
  return new Planning(source, request).plan();
}

interface Written {
  readonly reference: ObjectReference;
  readonly before: KubeObject | undefined;
  readonly after: KubeObject | undefined;
}

class Planning {
  readonly #source: PlanSource;
  readonly #request: PlanRequest;
  readonly #draft: Resources;
  readonly #objects: PlannedObject[] = [];
  readonly #written: Written[] = [];
  /** Services and Endpoints that have to change for a pool to be as its document says. */
  readonly #owners: OwnedPoolWrite[] = [];
  /** Where each pool stands among the objects, by key. */
  readonly #pools = new Map<string, number>();

  constructor(source: PlanSource, request: PlanRequest) {
    this.#source = source;
    this.#request = request;
    this.#draft = source.resources.through(createDraftStore(source.store));
  }

  async plan(): Promise<PlannedChanges> {
    for (const [index, document] of this.#request.documents.entries())
      this.#objects.push(await this.#planDocument(document, index));
    for (const { object } of this.#owners) this.#objects.push(await this.#planDocument(object));
    const named = (kinds: readonly string[]) =>
      this.#written.flatMap(({ reference: { definition, namespace = "", name } }) =>
        kinds.includes(definition.kind) ? [{ namespace, name }] : [],
      );
    const { pools, problems } = await foreseeControllers({
      resources: this.#draft,
      services: uniqueNames(named(["Service", "Endpoints"])),
      pools: uniqueNames(named(["Pool"])),
      stored: this.#source.pools.values(),
      now: this.#source.clock.now(),
    });
    const changed: ChangedPool[] = [];
    for (const { namespace, name, service } of pools) {
      const reference = { definition: poolDefinition, namespace, name };
      const [before, after] = [
        await findObject(this.#source.resources, reference),
        await findObject(this.#draft, reference),
      ];
      const objectIndex = this.#place(reference, { before, after, service });
      changed.push({ objectIndex, before: before as Pool | undefined, after: after as Pool | undefined });
    }
    for (const { namespace, name, message } of problems) this.#warn(namespace, name, message);
    return { objects: this.#objects, pools: changed };
  }

  async #planDocument(document: unknown, documentIndex?: number): Promise<PlannedObject> {
    const warnings: string[] = [];
    const origin = documentIndex === undefined ? {} : { documentIndex };
    const { apiVersion, kind, metadata } = (document ?? {}) as Partial<KubeObject>;
    const named = { apiVersion: text(apiVersion), kind: text(kind), name: text(metadata?.name) };
    try {
      const { reference, file } = readDocument(document, "plan a document", this.#request.namespace);
      const place = reference.namespace === undefined ? {} : { namespace: reference.namespace };
      try {
        const { before, after } = await this.#write(reference, file, warnings);
        this.#written.push({ reference, before, after });
        if (reference.definition === poolDefinition) this.#pools.set(keyOf(reference), this.#objects.length);
        const changes = fieldChanges(before, after);
        const outcome = outcomeOf(before, changes.length > 0);
        return { ...named, ...place, outcome, ...origin, changes, warnings };
      } catch (failure) {
        return { ...named, ...place, ...refused(failure), ...origin, warnings };
      }
    } catch (failure) {
      return { ...named, ...refused(failure), ...origin, warnings };
    }
  }

  async #write(reference: ObjectReference, file: AppliedFile, warnings: string[]) {
    await this.#source.permit(reference);
    const { operator, mode } = this.#request;
    const onWarning = (message: string) => void warnings.push(message);
    const before = await findObject(this.#draft, reference);
    const wanted =
      mode === "apply"
        ? appliedObject(file, reference.namespace, before)
        : await this.#inPlace(reference, before, file, onWarning);
    const after = before
      ? await this.#draft.update(reference, wanted, { operator, onWarning })
      : await this.#draft.create(reference.definition, wanted, { operator, onWarning });
    return { before, after };
  }

  /** As `PUT /api/objects` would write it. */
  async #inPlace(
    reference: ObjectReference,
    before: KubeObject | undefined,
    file: AppliedFile,
    onWarning: OnWarning,
  ): Promise<KubeObject | undefined> {
    const wanted = restoredObject(reference, before, { ...file }, onWarning);
    const through = await writesThroughService(this.#draft, reference, before, wanted);
    if (!through) return wanted;
    const [pool, ...owners] = through;
    this.#owners.push(...owners);
    return pool?.object;
  }

  /** @returns where the pool stands among the objects */
  #place(
    reference: ObjectReference,
    { before, after, service }: Omit<Written, "reference"> & { readonly service: string | undefined },
  ): number {
    const known = this.#pools.get(keyOf(reference));
    if (known !== undefined) {
      for (const message of complaintsOf(after)) this.#addWarning(known, message);
      const object = this.#objects[known];
      const changes = fieldChanges(before, after);
      // What follows from a Service of the same plan is part of it.
      if (object && service !== undefined)
        this.#objects[known] = { ...object, changes, outcome: outcomeOf(before, changes.length > 0) };
      return known;
    }
    const isGone = !after || after.metadata.deletionTimestamp !== undefined;
    const changes = fieldChanges(before, isGone ? undefined : after);
    const { definition, namespace = "", name } = reference;
    this.#objects.push({
      ...{ apiVersion: apiVersionOf(definition), kind: definition.kind, namespace, name },
      ...(service === undefined ? {} : { service }),
      outcome: isGone ? "deleted" : outcomeOf(before, changes.length > 0),
      changes,
      warnings: complaintsOf(after),
    });
    return this.#objects.length - 1;
  }

  #warn(namespace: string, name: string, message: string): void {
    const index = this.#objects.findLastIndex(
      (each) =>
        ["Service", "Endpoints"].includes(each.kind) && each.namespace === namespace && each.name === name,
    );
    if (index >= 0) this.#addWarning(index, message);
  }

  #addWarning(index: number, message: string): void {
    const object = this.#objects[index];
    if (object) this.#objects[index] = { ...object, warnings: [...object.warnings, message] };
  }
}

function outcomeOf(before: KubeObject | undefined, isChanged: boolean): PlannedOutcome {
  if (!before) return "created";
  return isChanged ? "changed" : "unchanged";
}

/** Why a pool would have no connect address. */
function complaintsOf(pool: KubeObject | undefined): readonly string[] {
  const { conditions = [] } = (pool as Pool | undefined)?.status ?? {};
  return conditions.flatMap(({ type, status, message }) =>
    type === "Allocated" && status === "False" ? [message] : [],
  );
}

function refused(failure: unknown): Pick<PlannedObject, "outcome" | "changes" | "refusal"> {
  if (!(failure instanceof ParasausError) || hasCode(failure, "Unavailable") || hasCode(failure, "Internal"))
    throw failure;
  const { code, message, fields } = failure;
  return { outcome: "refused", changes: [], refusal: { code, message, fields } };
}

function text(value: unknown): string {
  return typeof value === "string" ? value : "";
}

function keyOf({ namespace = "", name }: Pick<ObjectReference, "namespace" | "name">): string {
  return `${namespace}/${name}`;
}

function uniqueNames<Name extends { readonly namespace: string; readonly name: string }>(
  names: readonly Name[],
): readonly Name[] {
  return [...new Map(names.map((name) => [keyOf(name), name])).values()];
}
