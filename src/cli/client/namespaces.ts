import type { ResourceDefinition } from "../../model/index.ts";
import type { ObjectReference } from "../../resources/index.ts";
import { type Invocation, isSet, textOption, type VerbOption } from "../verb.ts";

const DEFAULT_NAMESPACE = "default";

/** The flag of every verb that names objects. */
export const NAMESPACE_OPTION: VerbOption = {
  flags: "-n, --namespace <name>",
  description: `namespace (default: ${DEFAULT_NAMESPACE})`,
};

/** The namespace that the command line means, or undefined with `-A`. */
export function namespaceOf(invocation: Invocation): string | undefined {
  if (isSet(invocation, "allNamespaces")) return undefined;
  return textOption(invocation, "namespace") ?? DEFAULT_NAMESPACE;
}

/** Names one object, with a namespace where its kind has one. */
export function referenceTo(
  definition: ResourceDefinition,
  name: string,
  namespace = DEFAULT_NAMESPACE,
): ObjectReference {
  return definition.namespaced ? { definition, namespace, name } : { definition, name };
}
