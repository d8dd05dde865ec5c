import { apiVersionOf, type JsonSchema, type ResourceDefinition } from "../../../model/index.ts";

/** The schemas of a kind and of its list, by the names that the documents give them. */
export interface KindSchemas {
  readonly name: string;
  readonly object: JsonSchema;
  readonly listName: string;
  readonly list: JsonSchema;
}

/** What `#/definitions/` or `#/components/schemas/` is for a version of OpenAPI. */
export type SchemaPrefix = "#/definitions/" | "#/components/schemas/";

/** The schemas of one kind. */
export function kindSchemas(definition: ResourceDefinition, prefix: SchemaPrefix): KindSchemas {
  const { group, version, kind } = definition;
  const name = `${nameSpaceOf(group)}.${version}.${kind}`;
  const listName = `${name}List`;
  return {
    name,
    object: { ...definition.schema, "x-kubernetes-group-version-kind": [{ group, version, kind }] },
    listName,
    list: {
      type: "object",
      description: `A list of objects of kind ${kind}.`,
      required: ["items"],
      properties: {
        apiVersion: { type: "string", description: `Version of the format: ${apiVersionOf(definition)}.` },
        kind: { type: "string", description: `Kind of the list: ${kind}List.` },
        metadata: listMetadata,
        items: { type: "array", description: "The objects.", items: { $ref: `${prefix}${name}` } },
      },
      "x-kubernetes-group-version-kind": [{ group, version, kind: `${kind}List` }],
    },
  };
}

const listMetadata: JsonSchema = {
  type: "object",
  description: "Where the list stands.",
  properties: {
    resourceVersion: { type: "string", description: "Revision at which all objects were true together." },
    continue: { type: "string", description: "Token for the next page; empty on the last." },
    remainingItemCount: { type: "integer", format: "int64", description: "Objects behind this page." },
  },
};

/** `io.parasaus` for `parasaus.io`, as Kubernetes names schemas. */
function nameSpaceOf(group: string): string {
  return group === "" ? "io.k8s.api.core" : group.split(".").reverse().join(".");
}

/** A schema in the words that OpenAPI 2 has: no alternatives; an int-or-string is marked and otherwise untyped. */
export function toOpenApi2(schema: JsonSchema): JsonSchema {
  return Object.fromEntries(
    Object.entries(schema)
      .filter(([word]) => word !== "anyOf" && !word.startsWith("x-parasaus-"))
      .map(([word, value]) => [word, convertWord(word, value, toOpenApi2)]),
  );
}

/** The component that int-or-strings refer to, by the name that kubectl explain shows: `<IntOrString>`. */
export const INT_OR_STRING = {
  name: "io.k8s.apimachinery.pkg.util.intstr.IntOrString",
  schema: { oneOf: [{ type: "integer" }, { type: "string" }], format: "int-or-string" },
} as const;

/** A schema in the words of OpenAPI 3.0, without the words that only Parasaus knows. */
export function toOpenApi3(schema: JsonSchema): JsonSchema {
  const isIntOrString = schema["x-kubernetes-int-or-string"] === true;
  const words = Object.entries(schema)
    .filter(([word]) => !word.startsWith("x-parasaus-") && !(isIntOrString && word === "anyOf"))
    .map(([word, value]) => [word, convertWord(word, value, toOpenApi3)]);
  const reference = { allOf: [{ $ref: `#/components/schemas/${INT_OR_STRING.name}` }] };
  return { ...Object.fromEntries(words), ...(isIntOrString ? reference : {}) };
}

function convertWord(word: string, value: unknown, convert: (schema: JsonSchema) => JsonSchema): unknown {
  if (word === "properties") {
    const properties = Object.entries(value as Readonly<Record<string, JsonSchema>>);
    return Object.fromEntries(properties.map(([name, schema]) => [name, convert(schema)]));
  }
  const isSchema = (word === "items" || word === "additionalProperties") && typeof value === "object";
  return isSchema ? convert(value as JsonSchema) : value;
}
