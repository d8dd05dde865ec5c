import { describe, expect, it } from "vitest";
import type { JsonSchema } from "./definition.ts";
import { apiVersionOf, DEFINITIONS, findDefinition } from "./definitions.ts";
import { eventDefinition } from "./event/definition.ts";

function fieldsWithoutDescription(schema: JsonSchema, path: string): string[] {
  const properties = Object.entries((schema["properties"] ?? {}) as Record<string, JsonSchema>);
  const items = schema["items"] as JsonSchema | undefined;
  return [
    ...(schema["description"] ? [] : [path]),
    ...properties.flatMap(([name, property]) => fieldsWithoutDescription(property, `${path}.${name}`)),
    ...(items ? fieldsWithoutDescription(items, `${path}[]`) : []),
  ];
}

describe("DEFINITIONS", () => {
  it.each([...DEFINITIONS, eventDefinition])(
    "describes every field of $kind, because kubectl explain shows it",
    (definition) => {
      expect(fieldsWithoutDescription(definition.schema, definition.kind)).toEqual([]);
    },
  );

  it("has no two kinds that a name or short name could mean in one group", () => {
    const names = DEFINITIONS.flatMap((definition) =>
      [...new Set([definition.plural, definition.singular, ...definition.shortNames])].map(
        (name) => `${definition.group}/${name}`,
      ),
    );
    expect(new Set(names).size).toBe(names.length);
  });
});

describe("findDefinition", () => {
  it.each(["Pool", "pools", "pool", "POOL"])("finds the Pool by %s", (name) => {
    expect(findDefinition(name)?.kind).toBe("Pool");
  });

  it("does not look into other groups than the one asked for", () => {
    expect(findDefinition("services", "parasaus.io")).toBeUndefined();
    expect(findDefinition("svc", "")?.kind).toBe("Service");
  });
});

describe("apiVersionOf", () => {
  it("leaves the core group out", () => {
    expect(DEFINITIONS.map(apiVersionOf)).toEqual([
      ...new Array(4).fill("parasaus.io/v1"),
      ...new Array(3).fill("v1"),
      ...new Array(3).fill("parasaus.io/v1"),
    ]);
  });
});
