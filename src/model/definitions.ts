import { accountDefinition } from "./access/account-definition.ts";
import { apiTokenDefinition } from "./access/api-token-definition.ts";
import { roleBindingDefinition } from "./access/role-binding-definition.ts";
import { addressPoolDefinition } from "./address-pool/definition.ts";
import type { ResourceDefinition } from "./definition.ts";
import { endpointsDefinition } from "./endpoints/definition.ts";
import { namespaceDefinition } from "./namespace/definition.ts";
import { nodeDefinition } from "./node/definition.ts";
import { operationDefinition } from "./operation/definition.ts";
import { poolDefinition } from "./pool/definition.ts";
import { serviceDefinition } from "./service/definition.ts";

/** Every kind that is stored. */
export const DEFINITIONS: readonly ResourceDefinition[] = [
  poolDefinition,
  addressPoolDefinition,
  nodeDefinition,
  operationDefinition,
  serviceDefinition,
  endpointsDefinition,
  namespaceDefinition,
  accountDefinition,
  roleBindingDefinition,
  apiTokenDefinition,
];

/**
 * Finds a kind in its group by its kind, plural, singular or short name, in any case: what comes from an object
 * (`Pool`), a URL (`pools`) and a command line (`pool`) alike.
 *
 * @param group `parasaus.io`, or empty for the core group; absent: any group, the first that fits.
 */
export function findDefinition(name: string, group?: string): ResourceDefinition | undefined {
  const wanted = name.toLowerCase();
  return DEFINITIONS.find(
    (definition) =>
      (group === undefined || definition.group === group) &&
      [
        definition.kind.toLowerCase(),
        definition.plural,
        definition.singular,
        ...definition.shortNames,
      ].includes(wanted),
  );
}

/** The definition of an object: exactly its kind and version. */
export function definitionFor(apiVersion: unknown, kind: unknown): ResourceDefinition | undefined {
  return DEFINITIONS.find((each) => each.kind === kind && apiVersion === apiVersionOf(each));
}

/** A kind as access rules and messages name it: `pools.parasaus.io`, `services`. */
export function resourceOf({ plural, group }: Pick<ResourceDefinition, "plural" | "group">): string {
  return group === "" ? plural : `${plural}.${group}`;
}

/** `v1` or `parasaus.io/v1`. */
export function apiVersionOf({ group, version }: ResourceDefinition): string {
  return group === "" ? version : `${group}/${version}`;
}
