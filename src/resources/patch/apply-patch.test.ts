import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { hasCode, ParasausError } from "../../foundation/index.ts";
import { DEFINITIONS, serviceDefinition } from "../../model/index.ts";
import { applyPatch } from "./apply-patch.ts";

const SERVICE = { metadata: { name: "web" }, spec: { ports: [{ port: 80 }] } };

function nested(levels: number): object {
  let value: object = {};
  for (let level = 0; level < levels; level += 1) value = { spec: value };
  return value;
}

describe("applyPatch", () => {
  it("applies each type of patch and leaves the original as it was", () => {
    const before = structuredClone(SERVICE);
    const bodies = {
      json: [{ op: "replace", path: "/spec/ports/0/port", value: 81 }],
      merge: { spec: { ports: [{ port: 81 }] } },
      strategic: { spec: { ports: [{ $patch: "delete", port: 80 }, { port: 81 }] } },
    };
    for (const type of ["json", "merge", "strategic"] as const) {
      expect(applyPatch({ type, body: bodies[type] }, SERVICE, serviceDefinition)).toEqual({
        metadata: { name: "web" },
        spec: { ports: [{ port: 81 }] },
      });
    }
    expect(SERVICE).toEqual(before);
  });

  it.each([
    ["merge", [1], "BadRequest"],
    ["merge", null, "BadRequest"],
    ["json", [{ op: "replace", path: "", value: 5 }], "BadRequest"],
    ["json", [{ op: "remove", path: "" }], "Invalid"],
    ["strategic", "text", "BadRequest"],
    ["merge", nested(10_000), "BadRequest"],
    ["merge", { spec: new Array(300_000).fill(0) }, "TooLarge"],
  ] as const)("refuses the %s patch %#", (type, body, code) => {
    expect(() => applyPatch({ type, body }, SERVICE, serviceDefinition)).toThrowError(
      expect.objectContaining({ code }),
    );
  });

  it("answers any patch with an object or a refusal", () => {
    const directive = fc.constantFrom(
      "$patch",
      "$retainKeys",
      "$setElementOrder/ports",
      "ports",
      "spec",
      "port",
      "op",
      "path",
    );
    const body = fc.letrec<{ node: unknown }>((tie) => ({
      node: fc.oneof(
        { maxDepth: 5 },
        fc.jsonValue({ maxDepth: 1 }),
        fc.constantFrom("delete", "replace", "add", "remove", "/spec", "/spec/ports/0"),
        fc.dictionary(directive, tie("node"), { maxKeys: 4 }),
        fc.array(tie("node"), { maxLength: 3 }),
      ),
    })).node;
    const type = fc.constantFrom("json", "merge", "strategic");
    fc.assert(
      fc.property(fc.constantFrom(...DEFINITIONS), type, body, (definition, patchType, patchBody) => {
        try {
          expect(applyPatch({ type: patchType, body: patchBody }, SERVICE, definition)).toBeTypeOf("object");
        } catch (failure) {
          if (!(failure instanceof ParasausError)) throw failure;
          expect(hasCode(failure, "Internal")).toBe(false);
        }
      }),
      { numRuns: 500 },
    );
  });
});
