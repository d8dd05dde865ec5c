import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { DEFINITIONS } from "../definitions.ts";
import { poolDefinition } from "../pool/definition.ts";
import { type FieldValidation, validateObject } from "./validate-object.ts";

function poolInput(spec: unknown, metadata: unknown = { name: "web", namespace: "shop" }): unknown {
  return { apiVersion: "parasaus.io/v1", kind: "Pool", metadata, spec };
}

function validate(input: unknown, mode: FieldValidation = "Strict") {
  return validateObject(poolDefinition, input, mode);
}

function messages(input: unknown): string[] {
  return validate(input).errors.map(({ field, message }) => `${field}: ${message}`);
}

const MEMBER = { ip: "10.0.0.1", port: 80 };

describe("validateObject", () => {
  it("returns the object with its defaults", () => {
    const result = validate(poolInput({ members: [MEMBER] }));
    expect(result).toMatchObject({ errors: [], warnings: [], unknownFields: [] });
    expect(result.refusal).toBeUndefined();
    expect(result.object).toMatchObject({ spec: { scheduler: "rr", healthCheck: { type: "tcp" } } });
  });

  it("takes no annotations for none, as Kubernetes does, so that kubectl diff finds nothing", () => {
    const metadata = (annotations: object) => ({ name: "web", namespace: "shop", annotations });
    expect(validate(poolInput({}, metadata({}))).object?.metadata).not.toHaveProperty("annotations");
    expect(validate(poolInput({}, metadata({ a: "b" }))).object?.metadata.annotations).toEqual({ a: "b" });
  });

  it.each<[string, unknown, string]>([
    [
      "a port as text",
      { members: [{ ...MEMBER, port: "80" }] },
      'spec.members[0].port: Invalid value: "80": must be an integer',
    ],
    ["port 0", { port: 0 }, "spec.port: Invalid value: 0: must be between 1 and 65535, inclusive"],
    [
      "port 65536",
      { port: 65_536 },
      "spec.port: Invalid value: 65536: must be between 1 and 65535, inclusive",
    ],
    ["a broken port", { port: 80.5 }, "spec.port: Invalid value: 80.5: must be an integer"],
    ["a member without port", { members: [{ ip: "10.0.0.1" }] }, "spec.members[0].port: Required value"],
    ["members as an object", { members: {} }, "spec.members: Invalid value: {}: must be a list"],
    ["a list as spec", [], "spec: Invalid value: []: must be an object"],
    [
      "10,000 members",
      { members: new Array(10_000).fill(MEMBER) },
      "spec.members: Too many: 10000: must have at most 1024 items",
    ],
    [
      "a forwarding mode to come",
      { forwarding: "bridge" },
      'spec.forwarding: Unsupported value: "bridge": supported values: "fullnat", "nat", "dsr", "tunnel"',
    ],
    [
      "an IPv6 member with a second spelling",
      { members: [{ ip: "fd00:0::1", port: 80 }] },
      'spec.members[0].ip: Invalid value: "fd00:0::1": must be written as fd00::1',
    ],
    [
      "a duration without unit",
      { healthCheck: { interval: "2x" } },
      'spec.healthCheck.interval: Invalid value: "2x": must be a duration such as 500ms, 2s or 1m30s',
    ],
  ])("names the field and the value for %s", (_, spec, expected) => {
    expect(messages(poolInput(spec))).toEqual([expected]);
  });

  it("names every wrong field at once, so that one round of fixing is enough", () => {
    const found = messages(poolInput({ port: 0, scheduler: "fastest", members: [{ ip: 1, port: "x" }] }));
    expect(found.map((message) => message.split(":")[0])).toEqual([
      "spec.port",
      "spec.scheduler",
      "spec.members[0].ip",
      "spec.members[0].port",
    ]);
  });

  it("refuses in the words of Kubernetes, which kubectl prints as they are", () => {
    expect(validate(poolInput({ port: 0 })).refusal).toMatchObject({
      code: "Invalid",
      message:
        'Pool.parasaus.io "web" is invalid: spec.port: Invalid value: 0: must be between 1 and 65535, inclusive',
      object: { group: "parasaus.io", kind: "Pool", name: "web" },
    });
  });

  it("takes null for absent, as Kubernetes does", () => {
    expect(validate(poolInput({ port: null, scheduler: null, members: [MEMBER] })).object).toMatchObject({
      spec: { scheduler: "rr" },
    });
  });

  it("forgets managedFields, which nobody here keeps", () => {
    const metadata = { name: "web", managedFields: [{ manager: "kubectl" }], creationTimestamp: null };
    expect(validate(poolInput({}, metadata)).object?.metadata).toEqual({ name: "web" });
  });

  it("refuses another kind than the one that the caller means", () => {
    const result = validate({ ...(poolInput({}) as object), kind: "Service", apiVersion: "v1" });
    expect(result.errors.map(({ field }) => field)).toEqual(["apiVersion", "kind"]);
  });
});

describe("validateObject with unknown fields", () => {
  const input = poolInput({ shceduler: "lc", members: [{ ...MEMBER, wieght: 2 }] });

  it("refuses them under Strict and names each", () => {
    expect(validate(input).refusal).toMatchObject({
      code: "BadRequest",
      message:
        'strict decoding error: unknown field "spec.shceduler" (did you mean "scheduler"?), unknown field "spec.members[0].wieght" (did you mean "weight"?)',
    });
  });

  it("names them beside wrong values, so that one round of fixing is enough", () => {
    const both = poolInput({ shceduler: "lc", port: 0 });
    expect(validate(both).refusal?.fields.map(({ field }) => field)).toEqual(["spec.port", "spec.shceduler"]);
  });

  it("drops them with a warning under Warn", () => {
    const result = validate(input, "Warn");
    expect(result.refusal).toBeUndefined();
    expect(result.warnings).toEqual([
      'unknown field "spec.shceduler" (did you mean "scheduler"?)',
      'unknown field "spec.members[0].wieght" (did you mean "weight"?)',
    ]);
    expect(JSON.stringify(result.object)).not.toContain("shceduler");
  });

  it("drops them silently under Ignore", () => {
    expect(validate(input, "Ignore")).toMatchObject({ warnings: [], errors: [] });
  });
});

describe("validateObject against hostile input", () => {
  it("treats __proto__ and constructor as the unknown fields that they are", () => {
    const spec: unknown = JSON.parse('{"__proto__": {"scheduler": "lc"}, "constructor": {"prototype": {}}}');
    const result = validate(poolInput(spec), "Ignore");
    expect(result.unknownFields).toEqual(["spec.__proto__", "spec.constructor"]);
    expect(result.object).toMatchObject({ spec: { scheduler: "rr" } });
    expect(({} as Record<string, unknown>)["scheduler"]).toBeUndefined();
  });

  it("refuses them as keys of annotations, because other programs copy those key by key", () => {
    const metadata: unknown = JSON.parse('{"name": "web", "annotations": {"__proto__": "x"}}');
    expect(validate(poolInput({}, metadata)).errors.map(({ field }) => field)).toEqual([
      "metadata.annotations[__proto__]",
    ]);
  });

  it("stops at a nesting of 48 levels and does not overflow the stack at 100,000", () => {
    let nested: unknown = 1;
    for (let level = 0; level < 100_000; level += 1) nested = { next: nested };
    const operation = DEFINITIONS.find(({ kind }) => kind === "Operation");
    const result = operation && validateObject(operation, { spec: { after: nested } }, "Strict");
    expect(result?.errors.some(({ message }) => message.includes("48 levels"))).toBe(true);
    expect(messages(poolInput({ port: nested }))).toEqual([
      "spec.port: Invalid value: {…}: must be an integer",
    ]);
  });

  it("answers with a value or a refusal to any JSON, and never throws", () => {
    const anyName = fc.constantFrom("metadata", "spec", "name", "members", "healthCheck", "ports", "subsets");
    const anyJson = fc.letrec<{ node: unknown }>((tie) => ({
      node: fc.oneof(
        { maxDepth: 5 },
        fc.jsonValue({ maxDepth: 2 }),
        fc.dictionary(fc.oneof(anyName, fc.string()), tie("node"), { maxKeys: 4 }),
        fc.array(tie("node"), { maxLength: 3 }),
      ),
    })).node;
    fc.assert(
      fc.property(fc.constantFrom(...DEFINITIONS), anyJson, (definition, input) => {
        const result = validateObject(definition, input, "Strict");
        expect(result.object !== undefined || result.refusal !== undefined).toBe(true);
      }),
      { numRuns: 300 },
    );
  });
});

describe("validateObject on metadata", () => {
  it.each<[string, object, string]>([
    ["an upper-case name", { name: "Web" }, "metadata.name"],
    ["no name", {}, "metadata.name"],
    ["a name of 254 characters", { name: "a".repeat(254) }, "metadata.name"],
    ["a namespace with a dot", { name: "web", namespace: "a.b" }, "metadata.namespace"],
    ["a label key with a space", { name: "web", labels: { "a b": "c" } }, "metadata.labels"],
    ["a label value with a slash", { name: "web", labels: { a: "b/c" } }, "metadata.labels[a]"],
    [
      "annotations of 300 KiB",
      { name: "web", annotations: { a: "x".repeat(300 * 1024) } },
      "metadata.annotations",
    ],
    ["a finalizer with two slashes", { name: "web", finalizers: ["a/b/c"] }, "metadata.finalizers[0]"],
  ])("refuses %s", (_, metadata, field) => {
    expect(validate(poolInput({}, metadata)).errors.map((error) => error.field)).toEqual([field]);
  });

  it("refuses to change the name of a stored object", () => {
    const { object } = validate(poolInput({}));
    const result = validateObject(poolDefinition, poolInput({}, { name: "other" }), "Strict", object);
    expect(result.errors.map(({ field }) => field)).toEqual(["metadata.name"]);
  });

  it("accepts a name to be made by the server", () => {
    expect(validate(poolInput({}, { generateName: "web-" })).errors).toEqual([]);
  });
});
