import type { ResourceDefinition } from "../../model/index.ts";

/** `/api/v1`, or `/apis/parasaus.io/v1`. */
export function rootOf(group: string): string {
  return group === "" ? "/api/v1" : `/apis/${group}/v1`;
}

/** The verbs that a kind's objects can be asked with, in alphabetical order as Kubernetes lists them. */
export function verbsOf(definition: ResourceDefinition): readonly string[] {
  if (definition.writable)
    return ["create", "delete", "deletecollection", "get", "list", "patch", "update", "watch"];
  return definition.watchable === false ? ["get", "list"] : ["get", "list", "watch"];
}

/** Definitions by API group, the core group first, then by name. */
export function byGroup(definitions: readonly ResourceDefinition[]): Map<string, ResourceDefinition[]> {
  const groups = new Map<string, ResourceDefinition[]>();
  for (const definition of [...definitions].sort(
    (a, b) => compare(a.group, b.group) || compare(a.plural, b.plural),
  )) {
    groups.set(definition.group, [...(groups.get(definition.group) ?? []), definition]);
  }
  return groups;
}

function compare(a: string, b: string): number {
  if (a === b) return 0;
  return a < b ? -1 : 1;
}
