import { describe, expect, it } from "vitest";
import { ROLES } from "../../model/index.ts";
import { type Grants, higher, isAtLeast, restrictGrants, roleIn } from "./grants.ts";

const grants: Grants = { everywhere: "viewer", namespaces: new Map([["shop", "operator"]]) };

it("orders the roles", () => {
  const pairs = ROLES.map((role) => ROLES.filter((wanted) => isAtLeast(role, wanted)));
  expect(pairs).toEqual([["admin", "operator", "viewer"], ["operator", "viewer"], ["viewer"]]);
  expect(isAtLeast(undefined, "viewer")).toBe(false);
  expect([higher("viewer", "admin"), higher(undefined, "viewer"), higher(undefined, undefined)]).toEqual([
    "admin",
    "viewer",
    undefined,
  ]);
});

it("counts in a namespace the higher of what holds there and everywhere, and for the cluster what holds everywhere", () => {
  expect([roleIn(grants, "shop"), roleIn(grants, "other"), roleIn(grants, undefined)]).toEqual([
    "operator",
    "viewer",
    "viewer",
  ]);
  expect(roleIn({ namespaces: grants.namespaces }, undefined)).toBeUndefined();
});

describe("a token", () => {
  it("may what its account may, when nothing limits it", () => {
    expect(restrictGrants(grants, {})).toEqual(grants);
  });

  it("may no more than its role, and never more than its account", () => {
    const asViewer = restrictGrants(grants, { role: "viewer" });
    expect([asViewer.everywhere, [...asViewer.namespaces]]).toEqual(["viewer", [["shop", "viewer"]]]);
    expect(restrictGrants(grants, { role: "admin" })).toEqual(grants);
  });

  it("may nothing outside its namespaces, and nothing with what belongs to the cluster", () => {
    const scoped = restrictGrants(grants, { namespaces: ["shop", "other"] });
    expect(scoped).toEqual({
      namespaces: new Map([
        ["shop", "operator"],
        ["other", "viewer"],
      ]),
    });
    const foreign = restrictGrants({ namespaces: grants.namespaces }, { namespaces: ["other"] });
    expect(foreign).toEqual({ namespaces: new Map() });
    expect(restrictGrants(grants, { namespaces: [] })).toEqual({ namespaces: new Map() });
  });
});
