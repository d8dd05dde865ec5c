import { expect, it } from "vitest";
import { readTargets } from "./kinds.ts";

const targets = (...words: string[]) =>
  readTargets(words).map(({ definition, name }) =>
    name === undefined ? definition.kind : `${definition.kind}/${name}`,
  );

it.each([
  [["pools"], ["Pool"]],
  [["Pool", "web"], ["Pool/web"]],
  [["pools.parasaus.io"], ["Pool"]],
  [
    ["pools.v1.parasaus.io", "a", "b"],
    ["Pool/a", "Pool/b"],
  ],
  [
    ["pool/web", "svc/web"],
    ["Pool/web", "Service/web"],
  ],
  [["pools,nodes"], ["Pool", "Node"]],
  [["ns"], ["Namespace"]],
])("reads %j like kubectl", (words, expected) => {
  expect(targets(...words)).toEqual(expected);
});

it("takes `all` as the kinds that operators work with", () => {
  expect(targets("all")).toEqual(expect.arrayContaining(["Pool", "Service"]));
});

it("names the kinds there are when it does not know one", () => {
  expect(() => targets("deployments")).toThrow(
    'Cannot find kind "deployments": there are pools, addresspools, nodes, operations, services, endpoints, namespaces',
  );
  expect(() => targets("pool/")).toThrow('Cannot read "pool/": expected KIND/NAME');
});
