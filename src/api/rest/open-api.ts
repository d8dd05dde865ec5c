import type { JsonSchema } from "../../model/index.ts";
import { ANSWER_SCHEMAS } from "./answer-schemas.ts";
import { describeRoute, type RouteDescription } from "./route-descriptions.ts";

/** A JSON document. */
type Document = Readonly<Record<string, unknown>>;

const KUBERNETES = /^\/api(\/v1(\/|$)|$)/;
const PARAMETER = /:(\w+)/g;

/** Whether a path is ours, under /api, and not Kubernetes'. */
export function isPlainPath(path: string): boolean {
  return path.startsWith("/api/") && !KUBERNETES.test(path);
}

/**
 * The OpenAPI 3.1 document of the routes under /api that are not Kubernetes', exactly as the router lists them.
 *
 * @param routes `GET /api/operations`
 */
export function openApi31(routes: readonly string[], version: string): Document {
  const paths: Record<string, Record<string, unknown>> = {};
  for (const route of routes) {
    const [method = "", path = ""] = route.split(" ");
    if (!isPlainPath(path)) continue;
    const url = path.replace(PARAMETER, "{$1}");
    paths[url] = { ...paths[url], [method.toLowerCase()]: operationOf(route, path) };
  }
  return {
    openapi: "3.1.0",
    info: {
      title: "Parasaus",
      version,
      description:
        "For programs that do not speak Kubernetes. Objects themselves are read, watched and written there.",
      license: { name: "Apache-2.0", identifier: "Apache-2.0" },
    },
    servers: [{ url: "/", description: "The server that answered." }],
    security: [{ token: [] }, { session: [] }],
    paths,
    components: {
      schemas: ANSWER_SCHEMAS,
      responses: { Problem: problem() },
      securitySchemes: {
        token: { type: "http", scheme: "bearer", description: "An API token, or the token of a session." },
        session: {
          type: "apiKey",
          in: "cookie",
          name: "__Host-parasaus",
          description: "A browser's session.",
        },
      },
    },
  };
}

function operationOf(route: string, path: string): Document {
  const description = describeRoute(route) ?? {
    tag: "Reference",
    summary: route,
    answer: {},
  };
  const { tag, summary, body, answer, mediaType = "application/json", isOpen } = description;
  return {
    tags: [tag],
    summary,
    operationId: operationIdOf(route),
    ...parametersOf(path, description),
    ...(body ? { requestBody: { required: true, content: jsonOf(body) } } : {}),
    ...(isOpen ? { security: [] } : {}),
    responses: {
      "200": { description: "Done.", content: { [mediaType]: { schema: answer } } },
      default: { $ref: "#/components/responses/Problem" },
    },
  };
}

/** `postConfirmationsId` */
function operationIdOf(route: string): string {
  const words = route
    .replace(/ \/api\//, " ")
    .split(/[^a-zA-Z0-9]+/)
    .filter(Boolean);
  const [method = "", ...rest] = words;
  return method.toLowerCase() + rest.map((word) => word.charAt(0).toUpperCase() + word.slice(1)).join("");
}

function parametersOf(path: string, { query = {} }: RouteDescription): Document {
  const inPath = [...path.matchAll(PARAMETER)].map(([, name = ""]) => ({
    ...{ name, in: "path", required: true, schema: { type: "string" } },
    description: `The ${name}.`,
  }));
  const inQuery = Object.entries(query).map(([name, { description, ...schema }]) => ({
    ...{ name, in: "query", description, schema },
  }));
  return inPath.length + inQuery.length === 0 ? {} : { parameters: [...inPath, ...inQuery] };
}

function problem(): Document {
  const content = { "application/problem+json": { schema: { $ref: "#/components/schemas/Problem" } } };
  return { description: "Refused.", content };
}

function jsonOf(schema: JsonSchema): Document {
  return { "application/json": { schema } };
}
