import {
  apiVersionOf,
  DEFINITIONS,
  eventDefinition,
  type JsonSchema,
  type ResourceDefinition,
} from "../src/model/index.ts";

/** Where the reference stands, from the root of the repository. */
export const RESOURCE_REFERENCE_PATH = "docs/reference/resources.md";

const INTRODUCTION = `# Resources

The fields of every kind, as \`kubectl explain\` shows them. This page is generated from the schemas that the server
validates with: \`npx tsx scripts/write-resource-reference.ts\`.

Every object has \`apiVersion\`, \`kind\` and \`metadata\` (name, namespace, labels, annotations, …) as in Kubernetes.
Durations are written \`500ms\`, \`2s\`, \`1m30s\`; a bare integer means seconds. \`status\` is written by Parasaus alone.`;

/** The text of the reference. */
export function renderResourceReference(): string {
  return `${[INTRODUCTION, ...[...DEFINITIONS, eventDefinition].map(renderKind)].join("\n\n")}\n`;
}

function renderKind(definition: ResourceDefinition): string {
  const { kind, plural, shortNames, namespaced, writable, schema } = definition;
  const names = [plural, ...shortNames].map((name) => `\`${name}\``).join(", ");
  const facts = [
    `\`${apiVersionOf(definition)}\``,
    names,
    namespaced ? "in a namespace" : "for the whole cluster",
    ...(writable ? [] : ["read-only"]),
  ];
  const rows = Object.entries(propertiesOf(schema))
    .filter(([name]) => !["apiVersion", "kind", "metadata"].includes(name))
    .flatMap(([name, property]) => renderField(name, property, (schema["required"] ?? []) as string[]));
  const table = ["| field | type | default | meaning |", "|---|---|---|---|", ...rows].join("\n");
  return `## ${kind}\n\n${facts.join(" · ")}\n\n${schema["description"]}\n\n${table}`;
}

function renderField(path: string, schema: JsonSchema, required: readonly string[]): string[] {
  const name = path.split(".").at(-1)?.replace("[]", "") ?? "";
  const needed = required.includes(name) ? "**required**" : defaultOf(schema);
  const row = `| \`${path}\` | ${typeOf(schema)} | ${needed} | ${cellText(String(schema["description"]))} |`;
  const inner = (schema["items"] as JsonSchema | undefined) ?? schema;
  const innerPath = schema["items"] ? `${path}[]` : path;
  const fields = Object.entries(propertiesOf(inner)).flatMap(([field, property]) =>
    renderField(`${innerPath}.${field}`, property, (inner["required"] ?? []) as string[]),
  );
  return [row, ...fields];
}

function propertiesOf(schema: JsonSchema): Readonly<Record<string, JsonSchema>> {
  return (schema["properties"] ?? {}) as Readonly<Record<string, JsonSchema>>;
}

function typeOf(schema: JsonSchema): string {
  if (schema["x-parasaus-duration"]) return "duration";
  if (schema["x-kubernetes-int-or-string"]) return "integer or string";
  if (schema["enum"]) return (schema["enum"] as readonly string[]).map((value) => `\`${value}\``).join(" ");
  if (schema["items"]) return `list of ${typeOf(schema["items"] as JsonSchema)}`;
  if (schema["additionalProperties"]) return `map of ${typeOf(schema["additionalProperties"] as JsonSchema)}`;
  return `${schema["type"]}${rangeOf(schema)}`;
}

function rangeOf({ minimum, maximum }: JsonSchema): string {
  if (minimum === undefined || maximum === Number.MAX_SAFE_INTEGER) return "";
  return ` ${minimum}-${maximum}`;
}

function defaultOf(schema: JsonSchema): string {
  const value = schema["default"];
  if (value === undefined || (typeof value === "object" && !Array.isArray(value))) return "";
  return `\`${typeof value === "string" ? value : JSON.stringify(value)}\``;
}

function cellText(text: string): string {
  return text.replaceAll("|", "\\|").replaceAll("<", "&lt;");
}
