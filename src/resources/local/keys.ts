import { ParasausError } from "../../foundation/index.ts";
import { type ResourceDefinition, resourceOf } from "../../model/index.ts";
import type { ObjectReference } from "../resources.ts";

/** Every object lies under it, and nothing else does. */
export const REGISTRY_PREFIX = "/parasaus/registry/";

/** Under which key an object lies: `/parasaus/registry/<group or core>/<plural>/[<namespace>/]<name>`. */
export function keyOf({ definition, namespace, name }: ObjectReference): string {
  return `${prefixOf(definition, namespace)}${name}`;
}

/** Under which prefix the objects of a kind lie, all of them or those of one namespace. */
export function prefixOf({ group, plural, namespaced }: ResourceDefinition, namespace?: string): string {
  const kind = `${REGISTRY_PREFIX}${group === "" ? "core" : group}/${plural}/`;
  return namespaced && namespace ? `${kind}${namespace}/` : kind;
}

/** Where the objects of a kind lie in the store, for who follows them there. */
export interface StoredObjects {
  readonly prefix: string;
  /** Of an object without a namespace. */
  readonly keyOf: (name: string) => string;
}

/** Where the objects of a kind lie in the store. */
export function storedObjects(definition: ResourceDefinition): StoredObjects {
  return { prefix: prefixOf(definition), keyOf: (name) => keyOf({ definition, name }) };
}

/** `pools.parasaus.io "web"`, as Kubernetes' messages name an object. */
export function titleOf({ definition, name }: ObjectReference): string {
  return `${resourceOf(definition)} "${name}"`;
}

/** The refusal for an object that is not there. */
export function notFound(reference: ObjectReference): ParasausError {
  const { definition, name } = reference;
  return new ParasausError("NotFound", `${titleOf(reference)} not found`, {
    object: { group: definition.group, kind: definition.kind, name },
  });
}

/** The refusal of a write that is based on something else than what is stored. */
export function conflict(reference: ObjectReference, why: string): ParasausError {
  const { definition, name } = reference;
  return new ParasausError("Conflict", `Operation cannot be fulfilled on ${titleOf(reference)}: ${why}`, {
    object: { group: definition.group, kind: definition.kind, name },
  });
}

export const MODIFIED =
  "the object has been modified; please apply your changes to the latest version and try again";
