import { describe, expect, it } from "vitest";
import { hasCode } from "../foundation/index.ts";
import { type KubeObject, poolDefinition } from "../model/index.ts";
import { compileSelection } from "./selectors.ts";

const web = {
  apiVersion: "parasaus.io/v1",
  kind: "Pool",
  metadata: { name: "web", namespace: "shop", labels: { app: "web", tier: "front", empty: "" } },
  spec: { protocol: "TCP" },
} as KubeObject;

function selects(labelSelector: string): boolean {
  return compileSelection(poolDefinition, { labelSelector }).matches?.(web) ?? true;
}

describe("label selectors", () => {
  it.each([
    "",
    "app=web",
    "app==web",
    "app = web",
    "app!=db",
    "none!=web",
    "app in (db, web)",
    "app in (web),tier notin (back)",
    "none notin (web)",
    "app",
    "!none",
    "empty=",
    "app=web,tier=front,!none",
  ])("%j selects", (selector) => expect(selects(selector)).toBe(true));

  it.each([
    "app=db",
    "app!=web",
    "none=web",
    "app in (db)",
    "app notin (db,web)",
    "none",
    "!app",
    "app=web,tier=back",
  ])("%j does not select", (selector) => expect(selects(selector)).toBe(false));

  it.each(["app=web,", "=web", "app in web", "app in (a", "app=a=b", "a b", "(a)"])(
    "%j is refused",
    (selector) => {
      expect(failureOf({ labelSelector: selector })).toBe(true);
    },
  );
});

describe("field selectors", () => {
  it.each([
    ["metadata.name=web", true],
    ["metadata.name==web,metadata.namespace=shop", true],
    ["metadata.name!=web", false],
    ["metadata.namespace=other", false],
  ])("%j: %s", (fieldSelector, expected) => {
    expect(compileSelection(poolDefinition, { fieldSelector }).matches?.(web)).toBe(expected);
  });

  it("says which name alone can match, so that one key is read instead of all", () => {
    expect(compileSelection(poolDefinition, { fieldSelector: "metadata.name=web" }).name).toBe("web");
    expect(compileSelection(poolDefinition, { fieldSelector: "metadata.name!=web" }).name).toBeUndefined();
  });

  it("says which values fields must have, and nothing of those that they must not", () => {
    const fieldSelector = "spec.port=80,spec.protocol!=UDP,metadata.namespace=";
    expect([...compileSelection(poolDefinition, { fieldSelector }).required]).toEqual([
      ["spec.port", "80"],
      ["metadata.namespace", ""],
    ]);
  });

  it.each(["spec.nothing=1", "metadata.name", "metadata.name in (a)"])("%j is refused", (fieldSelector) => {
    expect(failureOf({ fieldSelector })).toBe(true);
  });
});

function failureOf(selection: Parameters<typeof compileSelection>[1]): boolean {
  try {
    compileSelection(poolDefinition, selection);
    return false;
  } catch (failure) {
    return hasCode(failure, "BadRequest");
  }
}
