import { hasCode } from "../../foundation/index.ts";
import { addressPoolDefinition, namespaceDefinition, type ResourceDefinition } from "../../model/index.ts";
import type { Resources } from "../resources.ts";

const BUILTINS: readonly { readonly definition: ResourceDefinition; readonly object: unknown }[] = [
  { definition: namespaceDefinition, object: { metadata: { name: "default" } } },
  {
    definition: addressPoolDefinition,
    object: { metadata: { name: "node-ports" }, spec: { addresses: ["node"], ports: ["30000-64999"] } },
  },
];

/** Makes what every installation starts with: the namespace `default` and the address pool `node-ports`. Idempotent. */
export async function ensureBuiltins(resources: Resources): Promise<void> {
  for (const { definition, object } of BUILTINS) {
    try {
      await resources.create(definition, object, { operator: "system:builtins" });
    } catch (failure) {
      if (!hasCode(failure, "AlreadyExists")) throw failure;
    }
  }
}
