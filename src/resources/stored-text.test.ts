import { describe, expect, it } from "vitest";
import type { KubeObject } from "../model/index.ts";
import { rememberText, textOf } from "./stored-text.ts";

const pool = (metadata: object, more: object = {}): KubeObject =>
  ({ apiVersion: "parasaus.io/v1", kind: "Pool", metadata, ...more }) as KubeObject;

/** An object as it is read from the store. */
function read(text: string, resourceVersion = "7"): KubeObject {
  const object = JSON.parse(text);
  object.metadata.resourceVersion = resourceVersion;
  rememberText(object, { text, resourceVersion });
  return object;
}

describe("textOf", () => {
  it.each<[string, object]>([
    ["an object", pool({ name: "web", namespace: "shop" }, { spec: { members: [] } })],
    [
      "text that looks like metadata",
      pool({ name: "web", annotations: { note: '"metadata":{"resourceVersion":"1"' } }),
    ],
    ["metadata inside the spec", pool({ name: "web" }, { spec: { template: { metadata: { a: 1 } } } })],
    [
      "the spec before the metadata",
      { kind: "Pool", spec: { metadata: { a: 1 } }, metadata: { name: "web" } },
    ],
    ["metadata before everything", { metadata: { name: "web" }, kind: "Pool" }],
    ["a revision that somebody wrote into the store", pool({ name: "web", resourceVersion: "3" })],
    ["empty metadata", pool({})],
    ["any characters", pool({ name: "web", annotations: { 说明: '合页 \u2028 \\ " }' } })],
  ])("says of %s what encoding it says", (_, object) => {
    const whole = read(JSON.stringify(object));
    expect(JSON.parse(textOf(whole))).toEqual(JSON.parse(JSON.stringify(whole)));
    expect(textOf(whole).match(/"resourceVersion":"7"/g)).toHaveLength(1);
  });

  it("encodes what was not read from a store", () => {
    const object = pool({ name: "web", resourceVersion: "7" });
    expect(textOf(object)).toBe(JSON.stringify(object));
  });

  it("forgets the text of what was changed since", () => {
    const object = read(JSON.stringify(pool({ name: "web" })));
    const changed = { ...object, metadata: { ...object.metadata, name: "other" } };
    expect(JSON.parse(textOf(changed)).metadata.name).toBe("other");
  });

  it("is seen by nothing that compares or encodes", () => {
    const object = read(JSON.stringify(pool({ name: "web" })));
    expect(object).toEqual(pool({ name: "web", resourceVersion: "7" }));
    expect(Object.keys(object)).toEqual(["apiVersion", "kind", "metadata"]);
  });
});
