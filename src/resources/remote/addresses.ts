import { apiVersionOf, type ResourceDefinition } from "../../model/index.ts";
import type { ListOptions, ObjectReference, Selection, WriteOptions } from "../resources.ts";

type QueryValue = string | number | boolean | undefined;

/** The path of a collection, or of one object in it. */
export function pathOf(
  definition: ResourceDefinition,
  namespace: string | undefined,
  name?: string,
  subresource?: string,
): string {
  const root = definition.group === "" ? "/api" : "/apis";
  const place = definition.namespaced && namespace ? ["namespaces", namespace] : [];
  const parts = [...place, definition.plural, name, subresource].filter((part) => part !== undefined);
  return [root, apiVersionOf(definition), ...parts.map(encodeURIComponent)].join("/");
}

/** The path of the object that is meant. */
export function objectPath({ definition, namespace, name }: ObjectReference, subresource?: string): string {
  return pathOf(definition, namespace, name, subresource);
}

/** A path with the parameters that are given. */
export function withQuery(path: string, parameters: Readonly<Record<string, QueryValue>>): string {
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(parameters)) {
    if (value !== undefined && value !== "" && value !== false) query.set(name, String(value));
  }
  return query.size === 0 ? path : `${path}?${query}`;
}

/** The parameters of a selection. */
export function selectionQuery({ labelSelector, fieldSelector }: Selection): Record<string, QueryValue> {
  return { labelSelector, fieldSelector };
}

/** The parameters of a list. */
export function listQuery(options: ListOptions): Record<string, QueryValue> {
  const { resourceVersion } = options;
  return {
    ...selectionQuery(options),
    limit: options.limit,
    continue: options.continue,
    ...(resourceVersion === undefined ? {} : { resourceVersion, resourceVersionMatch: "Exact" }),
  };
}

/** The parameters of a write. */
export function writeQuery(options: WriteOptions): Record<string, QueryValue> {
  return { dryRun: options.dryRun ? "All" : undefined, fieldValidation: options.fieldValidation };
}
