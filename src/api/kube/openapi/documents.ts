import type { JsonSchema, ResourceDefinition } from "../../../model/index.ts";
import { type Operation, operationsOf, type Parameter } from "./operations.ts";
import { INT_OR_STRING, kindSchemas, toOpenApi2, toOpenApi3 } from "./schemas.ts";

/** A JSON document. */
export type Document = Readonly<Record<string, unknown>>;

const TITLE = "Parasaus";

/** The OpenAPI 3.0 document of one group version. */
export function openApi3(definitions: readonly ResourceDefinition[], version: string): Document {
  const prefix = "#/components/schemas/";
  const schemas: Record<string, JsonSchema> = { [INT_OR_STRING.name]: INT_OR_STRING.schema };
  const paths: Record<string, unknown> = {};
  for (const definition of definitions) {
    const kinds = kindSchemas(definition, prefix);
    schemas[kinds.name] = toOpenApi3(kinds.object);
    schemas[kinds.listName] = kinds.list;
    for (const [path, operations] of operationsOf(definition)) {
      const answers = { object: `${prefix}${kinds.name}`, list: `${prefix}${kinds.listName}` };
      paths[path] = pathItem(operations, (operation) => operation3(operation, definition, answers));
    }
  }
  return { openapi: "3.0.0", info: { title: TITLE, version }, paths, components: { schemas } };
}

/** The OpenAPI 2.0 document of everything. */
export function openApi2(definitions: readonly ResourceDefinition[], version: string): Document {
  const prefix = "#/definitions/";
  const schemas: Record<string, JsonSchema> = {};
  const paths: Record<string, unknown> = {};
  for (const definition of definitions) {
    const kinds = kindSchemas(definition, prefix);
    schemas[kinds.name] = toOpenApi2(kinds.object);
    schemas[kinds.listName] = kinds.list;
    for (const [path, operations] of operationsOf(definition)) {
      const answers = { object: `${prefix}${kinds.name}`, list: `${prefix}${kinds.listName}` };
      paths[path] = pathItem(operations, (operation) => operation2(operation, definition, answers));
    }
  }
  return { swagger: "2.0", info: { title: TITLE, version }, paths, definitions: schemas };
}

interface References {
  readonly object: string;
  readonly list: string;
}

function pathItem(operations: readonly Operation[], convert: (operation: Operation) => Document): Document {
  return Object.fromEntries(operations.map((operation) => [operation.method, convert(operation)]));
}

function operation3(operation: Operation, definition: ResourceDefinition, answers: References): Document {
  const bodySchema = operation.body === "object" ? { $ref: answers.object } : { type: "object" };
  const content = operation.consumes.map((mediaType) => [mediaType, { schema: bodySchema }]);
  return {
    ...commonParts(operation, definition),
    parameters: operation.parameters.map(({ name, in: place, type, description }) => ({
      ...{ name, in: place, description, schema: { type } },
      ...(place === "path" ? { required: true } : {}),
    })),
    ...(content.length === 0 ? {} : { requestBody: { content: Object.fromEntries(content) } }),
    responses: {
      200: {
        description: "OK",
        content: { "application/json": { schema: { $ref: answers[operation.answer] } } },
      },
    },
  };
}

function operation2(operation: Operation, definition: ResourceDefinition, answers: References): Document {
  const bodySchema = operation.body === "object" ? { $ref: answers.object } : { type: "object" };
  const body = operation.consumes.length === 0 ? [] : [{ name: "body", in: "body", schema: bodySchema }];
  return {
    ...commonParts(operation, definition),
    produces: ["application/json"],
    ...(operation.consumes.length === 0 ? {} : { consumes: operation.consumes }),
    parameters: [...operation.parameters.map(parameter2), ...body],
    responses: { 200: { description: "OK", schema: { $ref: answers[operation.answer] } } },
  };
}

function parameter2({ name, in: place, type, description }: Parameter): Document {
  return { name, in: place, type, description, ...(place === "path" ? { required: true } : {}) };
}

function commonParts(
  operation: Operation,
  { group, version, kind, plural, namespaced }: ResourceDefinition,
): Document {
  return {
    description: operation.description,
    operationId: `${operation.id}.${namespaced ? "namespaced" : "cluster"}.${plural}.${group || "core"}.${version}`,
    "x-kubernetes-action": operation.action,
    "x-kubernetes-group-version-kind": { group, version, kind },
  };
}
