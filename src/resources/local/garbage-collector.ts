import { backoffMs, type Clock, hasCode, type Logger } from "../../foundation/index.ts";
import {
  apiVersionOf,
  type KubeObject,
  namespaceDefinition,
  type OwnerReference,
  type ResourceDefinition,
} from "../../model/index.ts";
import { followObjects, type ObjectChange } from "../follow.ts";
import type { ObjectReference, Resources } from "../resources.ts";
import { deleteNamespaceContents } from "./namespace-contents.ts";

const OPERATOR = "system:garbage-collector";
// Finalizers are mostly gone within milliseconds; what takes longer is asked for every 5 s.
const RETRY = { baseMs: 100, maxMs: 5_000, random: () => 1 };
const QUIET_ATTEMPTS = 6;

/** What the collector works on. */
export interface GarbageCollectorOptions {
  readonly resources: Resources;
  readonly definitions: readonly ResourceDefinition[];
  readonly clock: Clock;
  readonly logger: Logger;
  readonly signal: AbortSignal;
}

/**
 * Deletes objects whose owners are all gone, and what lies in a namespace that is being deleted.
 * Compares everything at start, so that nothing is missed that happened while nobody looked. Ends when the signal aborts.
 */
export async function startGarbageCollector(options: GarbageCollectorOptions): Promise<void> {
  const collector = new GarbageCollector(options);
  const followed = options.definitions.filter((definition) => definition.writable);
  await Promise.all(followed.map((definition) => collector.follow(definition)));
  await collector.settled();
}

interface Dependent {
  readonly reference: ObjectReference;
  readonly uid: string;
}

/** Everybody who names one owner. */
interface Dependents {
  readonly owner: OwnerReference;
  readonly byUid: Map<string, Dependent>;
}

class GarbageCollector {
  readonly #options: GarbageCollectorOptions;
  /** By uid of the owner; only objects with owners are remembered. */
  readonly #dependents = new Map<string, Dependents>();

  /** By uid of the namespace. */
  readonly #emptying = new Map<string, Promise<void>>();

  constructor(options: GarbageCollectorOptions) {
    this.#options = options;
  }

  /** Resolves when nothing is being emptied any more. */
  async settled(): Promise<void> {
    await Promise.all(this.#emptying.values());
  }

  follow(definition: ResourceDefinition): Promise<void> {
    const { resources, clock, logger, signal } = this.#options;
    return followObjects(resources, definition, {
      clock,
      logger,
      signal,
      onSnapshot: async (objects) => {
        for (const object of objects) await this.#examine(definition, object);
        await this.#collectForgotten(definition, new Set(objects.map(({ metadata }) => metadata.uid)));
      },
      onChange: (change) => this.#follow(definition, change),
    });
  }

  async #follow(definition: ResourceDefinition, { type, object }: ObjectChange): Promise<void> {
    if (type !== "DELETED") {
      await this.#examine(definition, object);
      return;
    }
    const { uid = "", ownerReferences = [] } = object.metadata;
    for (const owner of ownerReferences) this.#dependents.get(owner.uid)?.byUid.delete(uid);
    await this.#ownerGone(uid);
  }

  async #examine(definition: ResourceDefinition, object: KubeObject): Promise<void> {
    const { metadata } = object;
    if (definition === namespaceDefinition && metadata.deletionTimestamp) {
      this.#empty(object);
    }
    const owners = metadata.ownerReferences ?? [];
    if (owners.length === 0) return;
    const dependent = { reference: referenceTo(definition, object), uid: metadata.uid ?? "" };
    for (const owner of owners) {
      const known = this.#dependents.get(owner.uid) ?? { owner, byUid: new Map() };
      known.byUid.set(dependent.uid, dependent);
      this.#dependents.set(owner.uid, known);
    }
    await this.#persist(() => this.#collect(dependent));
  }

  /** Beside everything else: a namespace can wait for finalizers as long as it likes. */
  #empty(namespace: KubeObject): void {
    const { uid = "" } = namespace.metadata;
    if (this.#emptying.has(uid)) return;
    const work = this.#persist(() => deleteNamespaceContents(this.#options, namespace, OPERATOR));
    this.#emptying.set(
      uid,
      work.finally(() => this.#emptying.delete(uid)),
    );
  }

  async #ownerGone(uid: string): Promise<void> {
    const dependents = this.#dependents.get(uid);
    if (!dependents) return;
    this.#dependents.delete(uid);
    for (const dependent of dependents.byUid.values()) await this.#persist(() => this.#collect(dependent));
  }

  /** Owners of this kind that went while the watch was away. */
  async #collectForgotten(
    definition: ResourceDefinition,
    present: ReadonlySet<string | undefined>,
  ): Promise<void> {
    for (const [uid, { owner }] of [...this.#dependents]) {
      if (isOf(definition, owner) && !present.has(uid)) await this.#ownerGone(uid);
    }
  }

  /** Reads everything anew: what the collector remembers only says where to look. */
  async #collect({ reference, uid }: Dependent): Promise<void> {
    const { resources, logger } = this.#options;
    const object = await orUndefined(resources.get(reference));
    if (!object || object.metadata.uid !== uid || object.metadata.deletionTimestamp) return;
    for (const owner of object.metadata.ownerReferences ?? []) {
      if (await this.#isThere(owner, object.metadata.namespace)) return;
    }
    if ((object.metadata.ownerReferences ?? []).length === 0) return;
    const { resourceVersion = "" } = object.metadata;
    await orUndefined(
      resources.delete(reference, { operator: OPERATOR, preconditions: { uid, resourceVersion } }),
    );
    logger.info("garbage deleted", {
      kind: object.kind,
      namespace: reference.namespace,
      name: reference.name,
    });
  }

  /** An owner of a kind that is not ours counts as there: we cannot know. */
  async #isThere(owner: OwnerReference, namespace: string | undefined): Promise<boolean> {
    const definition = this.#options.definitions.find((each) => isOf(each, owner));
    if (!definition) return true;
    const scope = definition.namespaced && namespace ? { namespace } : {};
    const found = await orUndefined(this.#options.resources.get({ definition, name: owner.name, ...scope }));
    return found?.metadata.uid === owner.uid;
  }

  /** Tries again until it works or the collector ends: what is forgotten here would stay until the next start. */
  async #persist(task: () => Promise<void>): Promise<void> {
    const { clock, logger, signal } = this.#options;
    for (let attempt = 0; !signal.aborted; attempt += 1) {
      try {
        await task();
        return;
      } catch (error) {
        if (hasCode(error, "Conflict")) continue;
        logger[attempt < QUIET_ATTEMPTS ? "debug" : "warn"]("garbage not collected yet", { error, attempt });
        await clock.sleep(backoffMs(attempt, RETRY), signal).catch(() => undefined);
      }
    }
  }
}

function isOf(definition: ResourceDefinition, { apiVersion, kind }: OwnerReference): boolean {
  return definition.kind === kind && apiVersionOf(definition) === apiVersion;
}

function referenceTo(definition: ResourceDefinition, { metadata }: KubeObject): ObjectReference {
  const { name, namespace } = metadata;
  return { definition, name, ...(namespace ? { namespace } : {}) };
}

async function orUndefined(answer: Promise<KubeObject>): Promise<KubeObject | undefined> {
  try {
    return await answer;
  } catch (failure) {
    if (hasCode(failure, "NotFound")) return undefined;
    throw failure;
  }
}
