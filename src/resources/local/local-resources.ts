import { randomUUID } from "node:crypto";
import { type Clock, ParasausError } from "../../foundation/index.ts";
import type { KubeObject, ResourceDefinition } from "../../model/index.ts";
import type { Store, StoreCondition, StoreEntry, StoreWrite } from "../../store/index.ts";
import { applyPatch } from "../patch/index.ts";
import type {
  DeleteOptions,
  ListOptions,
  ObjectList,
  ObjectReference,
  Patch,
  Resources,
  WatchEvent,
  WatchOptions,
  WriteOptions,
} from "../resources.ts";
import type { Admission } from "./admission.ts";
import { encodeObject, freezeDeep, ObjectReader } from "./codec.ts";
import { type Epoch, ORIGINAL_EPOCH } from "./epoch.ts";
import { KeyLock } from "./key-lock.ts";
import { keyOf, titleOf } from "./keys.ts";
import { listObjects } from "./list.ts";
import { keepNumber, NODE_NUMBERS_KEY, type NumberedNode, needsNumber } from "./node-numbers.ts";
import { ObjectRules } from "./object-rules.ts";
import {
  type OperationStamp,
  type RecordedChange,
  type RecordedEvent,
  recordChange,
  recordEvent,
} from "./operations.ts";
import { hasName, refuseOther, refuseOtherVersion, refuseReadOnly } from "./preconditions.ts";
import { prepareUpdate, randomSuffix } from "./prepare.ts";
import { prepareWrite } from "./prepare-together.ts";
import { ResourceVersions } from "./resource-versions.ts";
import { entryOf, writeOf } from "./stored-entry.ts";
import { watchObjects } from "./watch.ts";
import {
  changedOnly,
  joinConditions,
  joinWrites,
  type PreparedWrite,
  recordTogether,
  type TogetherOptions,
  type TogetherWrite,
} from "./write-together.ts";

const MAX_ATTEMPTS = 64;

/** What the objects are kept in and which rules hold for them. */
export interface LocalResourcesOptions {
  readonly store: Store;
  readonly clock: Clock;
  /** Makes a namespace when the first object is created in it; else that is `NotFound`. Default false. */
  readonly autoCreateNamespaces?: boolean;
  /** Rules that need more than the object itself, in the order in which they are asked. */
  readonly admission?: readonly Admission[];
  /** Source of randomness in [0, 1) for generated names. Default `Math.random`. */
  readonly random?: () => number;
  /** Which epoch the store is in. Default: nothing was ever restored into it. */
  readonly epoch?: Epoch;
}

/** The objects in a store of this process (or in the etcd behind it). */
export interface LocalResources extends Resources {
  /** The same objects under the same rules, read and written through another view of their store, e.g. a fenced one. */
  through(store: Store): LocalResources;
  /** The resourceVersion that an object written at this revision of the store has. */
  resourceVersionAt(revision: number): string;
  /** The write that records something that no object shows, for a transaction of its own or the one that does it. */
  recordWrite(event: RecordedEvent): StoreWrite;
  /**
   * Writes several objects in one transaction, recorded as one operation; those that are not there are made. Validated and
   * admitted like any change.
   *
   * @returns those that changed, as they are now
   * @throws ParasausError as `update`, `create` and `delete`; `Conflict` when a condition does not hold
   */
  writeTogether(writes: readonly TogetherWrite[], options: TogetherOptions): Promise<readonly KubeObject[]>;
}

/** Makes the objects of a store. */
export function createLocalResources(options: LocalResourcesOptions): LocalResources {
  const reader = new ObjectReader(new ResourceVersions(options.epoch ?? ORIGINAL_EPOCH));
  return new StoredObjects(options, { keyLock: new KeyLock(), reader });
}

/** What all views of one store share. */
interface SharedParts {
  readonly keyLock: KeyLock;
  readonly reader: ObjectReader;
}

class StoredObjects implements LocalResources {
  readonly #options: LocalResourcesOptions;
  readonly #shared: SharedParts;
  readonly #store: Store;
  readonly #clock: Clock;
  readonly #random: () => number;
  readonly #keyLock: KeyLock;
  readonly #reader: ObjectReader;
  readonly #rules: ObjectRules;
  #sequence = 0;

  constructor(options: LocalResourcesOptions, shared: SharedParts) {
    this.#options = options;
    this.#shared = shared;
    this.#keyLock = shared.keyLock;
    this.#reader = shared.reader;
    this.#store = options.store;
    this.#clock = options.clock;
    this.#random = options.random ?? Math.random;
    this.#rules = new ObjectRules({
      ...{ store: this.#store, reader: this.#reader, clock: this.#clock, random: this.#random },
      autoCreateNamespaces: options.autoCreateNamespaces ?? false,
      admission: options.admission ?? [],
    });
  }

  through(store: Store): LocalResources {
    return new StoredObjects({ ...this.#options, store }, this.#shared);
  }

  resourceVersionAt(revision: number): string {
    return this.#reader.versions.of(revision);
  }

  recordWrite(event: RecordedEvent): StoreWrite {
    return recordEvent(event, this.#stamp());
  }

  writeTogether(writes: readonly TogetherWrite[], options: TogetherOptions): Promise<readonly KubeObject[]> {
    const { conditions = [], also = [] } = options;
    const source = { store: this.#store, reader: this.#reader, rules: this.#rules };
    const writeOnce = async () => {
      for (const condition of conditions) await this.#require(condition);
      const prepared: PreparedWrite[] = [];
      for (const write of writes) prepared.push(await prepareWrite(source, write, options));
      const changed = changedOnly(prepared);
      const next = changed.map((each) => each.next);
      if (changed.length === 0 || options.dryRun) return next;
      const { succeeded, revision } = await this.#store.transact(
        [...conditions, ...joinConditions(changed)],
        [...joinWrites(changed), ...recordTogether(changed, options, this.#stamp()), ...also],
      );
      return succeeded ? next.map((each) => this.#reader.at(each, revision)) : undefined;
    };
    return this.#retry(writeOnce, "write several objects at once");
  }

  async #require({ key, modRevision }: StoreCondition): Promise<void> {
    const entry = await this.#store.get(key);
    if ((entry?.modRevision ?? 0) === modRevision) return;
    throw new ParasausError("Conflict", `Cannot write: "${key}" was written by somebody else meanwhile`);
  }

  async get(reference: ObjectReference): Promise<KubeObject> {
    return this.#reader.read(await entryOf(this.#store, reference));
  }

  list(definition: ResourceDefinition, options: ListOptions = {}): Promise<ObjectList> {
    return listObjects(this.#store, this.#reader, definition, options);
  }

  watch(definition: ResourceDefinition, options: WatchOptions): AsyncIterable<WatchEvent> {
    return watchObjects(this.#store, this.#reader, definition, options);
  }

  async create(definition: ResourceDefinition, input: unknown, options: WriteOptions): Promise<KubeObject> {
    refuseReadOnly(definition);
    const create = () =>
      this.#retry(() => this.#createOnce(definition, input, options), `create a ${definition.kind}`);
    // Whoever gives numbers takes turns, so that a hundred nodes at once do not race for one.
    return needsNumber(definition, undefined) ? this.#keyLock.run(NODE_NUMBERS_KEY, create) : create();
  }

  update(reference: ObjectReference, input: unknown, options: WriteOptions): Promise<KubeObject> {
    return this.#rewrite(reference, "update", options, () => input);
  }

  patch(reference: ObjectReference, patch: Patch, options: WriteOptions): Promise<KubeObject> {
    return this.#rewrite(reference, "patch", options, (current) =>
      applyPatch(patch, current, reference.definition),
    );
  }

  async delete(reference: ObjectReference, options: DeleteOptions): Promise<KubeObject> {
    refuseReadOnly(reference.definition);
    return this.#keyLock.run(keyOf(reference), () =>
      this.#retry(() => this.#deleteOnce(reference, options), `delete ${titleOf(reference)}`),
    );
  }

  async #createOnce(
    definition: ResourceDefinition,
    input: unknown,
    options: WriteOptions,
  ): Promise<KubeObject | undefined> {
    const object = await this.#rules.draft(definition, input, options);
    const { name, namespace } = object.metadata;
    const reference = { definition, name, ...(namespace ? { namespace } : {}) };
    const claim = await this.#rules.claimNamespace(namespace);
    const key = keyOf(reference);
    if (await this.#store.get(key)) {
      if (!hasName(input)) return undefined;
      throw new ParasausError("AlreadyExists", `${titleOf(reference)} already exists`, {
        object: { group: definition.group, kind: definition.kind, name },
      });
    }
    const { object: stored, ...numbering } = await this.#rules.number(definition, object, undefined);
    return this.#commit({
      conditions: [{ key, modRevision: 0 }, ...claim.conditions, ...numbering.conditions],
      writes: [{ kind: "put", key, value: encodeObject(stored) }, ...claim.writes, ...numbering.writes],
      change: { verb: "create", after: stored, options },
      answer: (revision) => (revision === undefined ? stored : this.#reader.at(stored, revision)),
      options,
    });
  }

  async #rewrite(
    reference: ObjectReference,
    verb: "update" | "patch",
    options: WriteOptions,
    edit: (current: KubeObject) => unknown,
  ): Promise<KubeObject> {
    refuseReadOnly(reference.definition);
    const rewriteOnce = async () => {
      const entry = await entryOf(this.#store, reference);
      const current = this.#reader.read(entry);
      const input = edit(current);
      refuseOtherVersion(reference, input, current);
      const prepared = prepareUpdate(reference.definition, input, current, options);
      if (prepared === current) return current;
      const next = keepNumber(reference.definition, prepared, current);
      await this.#rules.admit({
        definition: reference.definition,
        verb: "update",
        previous: current,
        next,
        options,
      });
      const { object, ...numbering } = await this.#rules.number(reference.definition, next, current);
      const change = { verb, before: current, after: object, options };
      return this.#replace(entry, object, change, options, numbering);
    };
    return this.#keyLock.run(keyOf(reference), () =>
      this.#retry(rewriteOnce, `${verb} ${titleOf(reference)}`),
    );
  }

  /** Stores the next version; an object that waits for its last finalizer goes with it. */
  #replace(
    { key, modRevision }: StoreEntry,
    next: KubeObject,
    change: RecordedChange,
    options: WriteOptions,
    also: Pick<NumberedNode, "conditions" | "writes"> = { conditions: [], writes: [] },
  ): Promise<KubeObject | undefined> {
    return this.#commit({
      conditions: [{ key, modRevision }, ...also.conditions],
      writes: [writeOf(key, next), ...also.writes],
      change,
      answer: (revision) => (revision === undefined ? next : this.#reader.at(next, revision)),
      options,
    });
  }

  async #deleteOnce(reference: ObjectReference, options: DeleteOptions): Promise<KubeObject | undefined> {
    const entry = await entryOf(this.#store, reference);
    const current = this.#reader.read(entry);
    refuseOther(reference, options.preconditions, current);
    const next = await this.#rules.leaving(reference, current, options);
    if (next === current) return current;
    return this.#replace(entry, next, { verb: "delete", before: current, options }, options);
  }

  #stamp(): OperationStamp {
    const now = this.#clock.now();
    this.#sequence = Math.max(now.getTime() * 1_000, this.#sequence + 1);
    return { now, sequence: this.#sequence, uid: randomUUID(), suffix: randomSuffix(this.#random) };
  }

  /** @returns undefined when something else was written meanwhile: decide again. */
  async #commit(write: {
    readonly conditions: readonly StoreCondition[];
    readonly writes: readonly StoreWrite[];
    readonly change: RecordedChange;
    readonly answer: (revision: number | undefined) => KubeObject;
    readonly options: WriteOptions;
  }): Promise<KubeObject | undefined> {
    if (write.options.dryRun) return freezeDeep(write.answer(undefined));
    const operations = recordChange(write.change, this.#stamp());
    const result = await this.#store.transact(write.conditions, [...write.writes, ...operations]);
    return result.succeeded ? write.answer(result.revision) : undefined;
  }

  async #retry<Answer>(attempt: () => Promise<Answer | undefined>, action: string): Promise<Answer> {
    for (let count = 0; count < MAX_ATTEMPTS; count += 1) {
      const answer = await attempt();
      if (answer) return answer;
    }
    throw new ParasausError(
      "Unavailable",
      `Cannot ${action}: others kept writing it at the same time; try again`,
    );
  }
}
