import { createHash } from "node:crypto";
import { ERROR_CODES } from "../../foundation/index.ts";
import type { JsonSchema } from "../../model/index.ts";
import { isPlainPath } from "./open-api.ts";
import { describeRoute, type RouteDescription } from "./route-descriptions.ts";

const STYLE = `
:root { color-scheme: light dark; font: 15px/1.5 system-ui, sans-serif }
body { max-width: 60rem; margin: 0 auto; padding: 1rem }
code, pre { font: 13px/1.5 ui-monospace, monospace; overflow-wrap: anywhere }
h2 { margin-top: 2.5rem } h3 { margin: 1.8rem 0 0.2rem }
table { border-collapse: collapse; width: 100% }
th, td { text-align: left; vertical-align: top; padding: 0.2rem 0.6rem 0.2rem 0; border-bottom: 1px solid #8886 }
`;
const HASH = createHash("sha256").update(STYLE).digest("base64");

/** What the page may load: nothing but its own style. */
export const PAGE_POLICY = `default-src 'none'; style-src 'sha256-${HASH}'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'`;

const TAGS: readonly RouteDescription["tag"][] = [
  "Objects",
  "Changes",
  "Record",
  "Accounts",
  "Reference",
  "Console",
];

/** The routes under /api as a page without scripts. */
export function referencePage(routes: readonly string[], version: string): string {
  const described = routes.flatMap((route) => {
    const description = isPlainPath(route.split(" ")[1] ?? "") ? describeRoute(route) : undefined;
    return description ? [{ route, description }] : [];
  });
  const sections = TAGS.flatMap((tag) => {
    const own = described.filter(({ description }) => description.tag === tag);
    return own.length === 0 ? [] : [`<h2>${tag}</h2>${own.map(sectionOf).join("")}`];
  });
  return `<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Parasaus ${inHtml(version)}: REST</title>
<meta name="viewport" content="width=device-width"><style>${STYLE}</style></head><body><main>
<h1>Parasaus ${inHtml(version)}: REST</h1>
<p>For programs that do not speak Kubernetes; the same as <a href="/api/openapi.json">OpenAPI 3.1</a>. Bodies and answers are JSON.
Ask with <code>Authorization: Bearer TOKEN</code>; in browsers the session's cookie counts.</p>
${sections.join("\n")}${errorTable()}</main></body></html>`;
}

function sectionOf({ route, description }: { route: string; description: RouteDescription }): string {
  const { summary, query, body, answer } = description;
  return `<h3><code>${inHtml(route)}</code></h3><p>${inHtml(summary)}</p>${[
    query ? table("Query", query, []) : "",
    body ? schemaTable("Body", body) : "",
    schemaTable("Answer", answer),
  ].join("")}`;
}

function schemaTable(title: string, schema: JsonSchema): string {
  const {
    properties,
    required = [],
    $ref,
  } = schema as {
    readonly properties?: Readonly<Record<string, JsonSchema>>;
    readonly required?: readonly string[];
    readonly $ref?: string;
  };
  if ($ref !== undefined) return `<p>${title}: ${inHtml($ref.replace(/^.*\//, ""))}</p>`;
  return properties && Object.keys(properties).length > 0 ? table(title, properties, required) : "";
}

function table(
  title: string,
  properties: Readonly<Record<string, JsonSchema>>,
  required: readonly string[],
): string {
  const rows = Object.entries(properties).map(([name, schema]) => {
    const needed = required.includes(name) ? "" : " (may be absent)";
    const type = String(schema["type"] ?? String(schema["$ref"] ?? "any").replace(/^.*\//, ""));
    const told = `${schema["description"] ?? ""}${needed}`;
    return `<tr><td><code>${inHtml(name)}</code></td><td>${inHtml(type)}</td><td>${inHtml(told)}</td></tr>`;
  });
  return `<table><tr><th>${title}</th><th>type</th><th></th></tr>${rows.join("")}</table>`;
}

function errorTable(): string {
  const rows = Object.entries(ERROR_CODES).map(
    ([code, { http, retryable }]) =>
      `<tr id="${code}"><td><code>${code}</code></td><td>${http}</td><td>${retryable ? "try again" : ""}</td></tr>`,
  );
  return `<h2>Errors</h2><p><code>application/problem+json</code> (RFC 9457): type, title, status, detail, and errors for wrong fields.</p>
<table><tr><th>title</th><th>status</th><th></th></tr>${rows.join("")}</table>`;
}

function inHtml(value: string): string {
  return value.replace(/[&<>"']/g, (sign) => `&#${sign.charCodeAt(0)};`);
}
