import type { Clock } from "../../foundation/index.ts";
import { type KubeObject, namespaceDefinition, type ResourceDefinition } from "../../model/index.ts";
import type { Store } from "../../store/index.ts";
import type { ObjectReference, WriteOptions } from "../resources.ts";
import type { Admission, AdmissionRequest } from "./admission.ts";
import type { ObjectReader } from "./codec.ts";
import { activate, claimNamespace, type NamespaceClaim, terminate } from "./namespaces.ts";
import { type NumberedNode, needsNumber, numberNode } from "./node-numbers.ts";
import { secondsOf } from "./operations.ts";
import { prepareCreate } from "./prepare.ts";

/** What the rules are asked of. */
export interface ObjectRulesOptions {
  readonly store: Store;
  readonly reader: ObjectReader;
  readonly clock: Clock;
  /** Source of randomness in [0, 1) for generated names. */
  readonly random: () => number;
  readonly autoCreateNamespaces: boolean;
  readonly admission: readonly Admission[];
}

/** What becomes of an object before it is stored: admitted, in a namespace that is there, with what the server gives it. */
export class ObjectRules {
  readonly #options: ObjectRulesOptions;

  constructor(options: ObjectRulesOptions) {
    this.#options = options;
  }

  /** @throws ParasausError of the first rule that refuses it */
  async admit(request: AdmissionRequest): Promise<void> {
    for (const admit of this.#options.admission) await admit(request);
  }

  /** The object that a client wants to create, admitted. */
  async draft(definition: ResourceDefinition, input: unknown, options: WriteOptions): Promise<KubeObject> {
    const next = this.#activated(definition, input, options);
    await this.admit({ definition, verb: "create", next, options });
    return next;
  }

  /** The object with the mark of its deletion; itself when it has that already. */
  async leaving(
    { definition }: ObjectReference,
    current: KubeObject,
    options: WriteOptions,
  ): Promise<KubeObject> {
    await this.admit({ definition, verb: "delete", previous: current, options });
    const held = terminate(definition, current);
    if (held.metadata.deletionTimestamp) return current;
    const deletionTimestamp = secondsOf(this.#options.clock.now());
    return { ...held, metadata: { ...held.metadata, deletionTimestamp } };
  }

  /** What has an object's namespace be there; nothing for one that has none. */
  async claimNamespace(namespace: string | undefined): Promise<NamespaceClaim> {
    if (!namespace) return { conditions: [], writes: [] };
    const draft = (name: string) =>
      this.#activated(namespaceDefinition, { metadata: { name } }, { operator: "system:namespaces" });
    return claimNamespace(namespace, { ...this.#options, draft });
  }

  /** Gives a Node that has none a number of its own, in the Node's own transaction. */
  async number(
    definition: ResourceDefinition,
    next: KubeObject,
    previous: KubeObject | undefined,
  ): Promise<NumberedNode> {
    const isLeaving = next.metadata.deletionTimestamp !== undefined;
    if (!needsNumber(definition, previous) || isLeaving) return { object: next, conditions: [], writes: [] };
    const { store, reader, clock } = this.#options;
    return numberNode(next, { store, reader, now: () => clock.now() }, previous === undefined);
  }

  #activated(definition: ResourceDefinition, input: unknown, options: WriteOptions): KubeObject {
    const { clock, random } = this.#options;
    return activate(definition, prepareCreate(definition, input, options, { clock, random }));
  }
}
