import { BinaryReader } from "@bufbuild/protobuf/wire";
import { describe, expect, it } from "vitest";
import { DEFINITIONS, type JsonSchema } from "../../../model/index.ts";
import { openApi2, openApi3 } from "./documents.ts";
import { encodeOpenApi2 } from "./gnostic.ts";

type Tree = Readonly<Record<string, unknown>>;

function* schemasIn(schema: JsonSchema, path: string): Iterable<[string, JsonSchema]> {
  yield [path, schema];
  const properties = (schema["properties"] ?? {}) as Readonly<Record<string, JsonSchema>>;
  for (const [name, property] of Object.entries(properties)) yield* schemasIn(property, `${path}.${name}`);
  for (const word of ["items", "additionalProperties"]) {
    if (typeof schema[word] === "object") yield* schemasIn(schema[word] as JsonSchema, `${path}[]`);
  }
}

const version3 = openApi3(DEFINITIONS, "1.2.3");
const version2 = openApi2(DEFINITIONS, "1.2.3");
const patchOf = (document: Tree, path: string): Tree => {
  const paths = document["paths"] as Readonly<Record<string, { patch: Tree }>>;
  return paths[path]?.patch ?? {};
};
const POOL = "/apis/parasaus.io/v1/namespaces/{namespace}/pools/{name}";
const ENDPOINTS = "/api/v1/namespaces/{namespace}/endpoints/{name}";

describe("openApi3", () => {
  it("offers strategic merge patches for the kinds that kubectl has compiled in, and no others", () => {
    const types = (path: string): string[] => {
      const body = patchOf(version3, path)["requestBody"] as { content: Tree } | undefined;
      return Object.keys(body?.content ?? {});
    };
    expect(types(ENDPOINTS)).toContain("application/strategic-merge-patch+json");
    expect(types(POOL)).toEqual(["application/json-patch+json", "application/merge-patch+json"]);
  });

  it("marks patches with their kind and with fieldValidation, which kubectl looks for before it applies", () => {
    const patch = patchOf(version3, POOL);
    expect(patch["x-kubernetes-group-version-kind"]).toEqual({
      group: "parasaus.io",
      version: "v1",
      kind: "Pool",
    });
    const names = (patch["parameters"] as readonly { name: string }[]).map(({ name }) => name);
    expect(names).toEqual(expect.arrayContaining(["fieldValidation", "dryRun"]));
  });

  it("offers no writing operations for kinds that are read-only", () => {
    const paths = version3["paths"] as Readonly<Record<string, object>>;
    expect(Object.keys(paths["/apis/parasaus.io/v1/operations/{name}"] ?? {})).toEqual(["get"]);
  });
});

describe("openApi2", () => {
  it("has no word in its schemas that OpenAPI 2 does not know", () => {
    const known =
      /^(type|format|description|properties|items|additionalProperties|required|enum|default|minimum|maximum|minLength|maxLength|minItems|maxItems|pattern|x-kubernetes-.*|\$ref)$/;
    const definitions = version2["definitions"] as Readonly<Record<string, JsonSchema>>;
    const foreign = Object.entries(definitions).flatMap(([name, schema]) =>
      [...schemasIn(schema, name)].flatMap(([path, at]) =>
        Object.keys(at)
          .filter((word) => !known.test(word))
          .map((word) => `${path}: ${word}`),
      ),
    );
    expect(foreign).toEqual([]);
  });
});

describe("encodeOpenApi2", () => {
  it("writes gnostic's Document: version, paths and definitions by name", () => {
    const fields = readFields(encodeOpenApi2(version2));
    expect(fields.map(([field]) => field)).toEqual([1, 2, 8, 9]);
    expect(Buffer.from(fields[0]?.[1] ?? []).toString()).toBe("2.0");
    const namesIn = (bytes: Uint8Array | undefined): string[] =>
      readFields(bytes ?? new Uint8Array()).map(([, entry]) =>
        Buffer.from(readFields(entry)[0]?.[1] ?? []).toString(),
      );
    expect(namesIn(fields[2]?.[1])).toEqual(Object.keys(version2["paths"] as Tree));
    expect(namesIn(fields[3]?.[1])).toEqual(Object.keys(version2["definitions"] as Tree));
  });
});

/** The length-delimited fields of a message. */
function readFields(bytes: Uint8Array): [number, Uint8Array][] {
  const reader = new BinaryReader(bytes);
  const fields: [number, Uint8Array][] = [];
  while (reader.pos < reader.len) {
    const [field] = reader.tag();
    fields.push([field, reader.bytes()]);
  }
  return fields;
}
