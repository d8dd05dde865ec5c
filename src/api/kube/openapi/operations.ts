import type { ResourceDefinition } from "../../../model/index.ts";
import { rootOf } from "../groups.ts";

/** One query or path parameter. */
export interface Parameter {
  readonly name: string;
  readonly in: "query" | "path";
  readonly type: "string" | "integer" | "boolean";
  readonly description: string;
}

/** One operation on one path, in terms that both OpenAPI versions can be made from. */
export interface Operation {
  readonly method: "get" | "post" | "put" | "patch" | "delete";
  readonly id: string;
  /** Kubernetes' word: `list`, `get`, `post`, `put`, `patch`, `delete`, `deletecollection`. */
  readonly action: string;
  readonly description: string;
  readonly parameters: readonly Parameter[];
  /** Media types of the body; empty without one. */
  readonly consumes: readonly string[];
  /** What the body is: the object itself, or anything (a patch, delete options). */
  readonly body: "object" | "anything";
  readonly answer: "object" | "list";
}

const OBJECT_BODY = ["application/json", "application/yaml"];
const PATCH_BODY = ["application/json-patch+json", "application/merge-patch+json"];
const STRATEGIC_BODY = "application/strategic-merge-patch+json";

const query = (name: string, type: Parameter["type"], description: string): Parameter => ({
  name,
  in: "query",
  type,
  description,
});
const path = (name: string, description: string): Parameter => ({
  name,
  in: "path",
  type: "string",
  description,
});

const DRY_RUN = query("dryRun", "string", "All: validate and answer as if written, but store nothing.");
const WRITE_PARAMETERS = [
  DRY_RUN,
  query("fieldManager", "string", "Accepted and not kept."),
  query(
    "fieldValidation",
    "string",
    "Strict refuses unknown and duplicate fields (the default), Warn reports them, Ignore drops them.",
  ),
];
const SELECTORS = [
  query("labelSelector", "string", "Only objects whose labels match."),
  query("fieldSelector", "string", "Only objects whose fields match."),
];
const PAGE_PARAMETERS = [
  query("limit", "integer", "Most objects to return at once."),
  query("continue", "string", "Token of the page before."),
  query(
    "resourceVersion",
    "string",
    "Revision to list at (with resourceVersionMatch=Exact) or to watch from.",
  ),
  query("resourceVersionMatch", "string", "Exact or NotOlderThan."),
];
const WATCH_PARAMETERS = [
  query("watch", "boolean", "Stream changes instead of listing."),
  query("allowWatchBookmarks", "boolean", "Send BOOKMARK events."),
  query("sendInitialEvents", "boolean", "Stream the existing objects first, then a bookmark that says so."),
  query("timeoutSeconds", "integer", "Seconds after which a watch ends."),
];
const DELETE_PARAMETERS = [DRY_RUN, query("propagationPolicy", "string", "Background or Foreground.")];

/** Every path of a kind with its operations. */
export function operationsOf(definition: ResourceDefinition): Map<string, readonly Operation[]> {
  const { plural, namespaced, writable, hasStatus } = definition;
  const root = rootOf(definition.group);
  const scoped = namespaced ? `${root}/namespaces/{namespace}/${plural}` : `${root}/${plural}`;
  const place = namespaced ? [path("namespace", "Namespace of the object.")] : [];
  const allowed = (operations: readonly Operation[]): readonly Operation[] =>
    operations.filter(({ method }) => writable || method === "get");
  const object = objectOperations(definition, [...place, path("name", "Name of the object.")]);
  const paths = new Map<string, readonly Operation[]>();
  if (namespaced) paths.set(`${root}/${plural}`, [listOperation(definition, [], "ForAllNamespaces")]);
  paths.set(scoped, allowed(collectionOperations(definition, place)));
  paths.set(`${scoped}/{name}`, allowed(object));
  if (hasStatus) {
    const status = allowed(object).filter(({ method }) => method !== "delete");
    paths.set(
      `${scoped}/{name}/status`,
      status.map((operation) => ({ ...operation, id: `${operation.id}Status` })),
    );
  }
  return paths;
}

function listOperation(definition: ResourceDefinition, place: readonly Parameter[], suffix = ""): Operation {
  const isWatchable = definition.watchable !== false;
  return {
    method: "get",
    id: `list${definition.kind}${suffix}`,
    action: "list",
    description: `${isWatchable ? "list or watch" : "list"} objects of kind ${definition.kind}`,
    parameters: [...place, ...SELECTORS, ...(isWatchable ? [...PAGE_PARAMETERS, ...WATCH_PARAMETERS] : [])],
    consumes: [],
    body: "anything",
    answer: "list",
  };
}

function collectionOperations(definition: ResourceDefinition, place: readonly Parameter[]): Operation[] {
  const { kind } = definition;
  return [
    listOperation(definition, place),
    {
      method: "post",
      id: `create${kind}`,
      action: "post",
      description: `create an object of kind ${kind}`,
      parameters: [...place, ...WRITE_PARAMETERS],
      consumes: OBJECT_BODY,
      body: "object",
      answer: "object",
    },
    {
      method: "delete",
      id: `deleteCollectionOf${kind}`,
      action: "deletecollection",
      description: `delete all selected objects of kind ${kind}`,
      parameters: [...place, ...SELECTORS, ...DELETE_PARAMETERS],
      consumes: OBJECT_BODY,
      body: "anything",
      answer: "list",
    },
  ];
}

function objectOperations(definition: ResourceDefinition, place: readonly Parameter[]): Operation[] {
  const { kind, group } = definition;
  // For other kinds than its own, kubectl applies with a JSON merge patch unless a strategic one is offered here; every
  // version of it is to do the same.
  const patches = group === "" ? [...PATCH_BODY, STRATEGIC_BODY] : PATCH_BODY;
  const operation = (method: Operation["method"], verb: string, change: Partial<Operation>): Operation => ({
    method,
    id: `${verb}${kind}`,
    action: method,
    description: `${verb} an object of kind ${kind}`,
    parameters: place,
    consumes: [],
    body: "anything",
    answer: "object",
    ...change,
  });
  const written = { parameters: [...place, ...WRITE_PARAMETERS] };
  return [
    operation("get", "read", {}),
    operation("put", "replace", { ...written, consumes: OBJECT_BODY, body: "object" }),
    operation("patch", "patch", { ...written, consumes: patches }),
    operation("delete", "delete", { parameters: [...place, ...DELETE_PARAMETERS], consumes: OBJECT_BODY }),
  ];
}
