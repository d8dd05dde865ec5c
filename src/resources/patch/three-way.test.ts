import { expect, it } from "vitest";
import { mergeThreeWays } from "./three-way.ts";

it("removes what the file dropped and keeps what somebody else added", () => {
  const merged = mergeThreeWays(
    { spec: { a: 1, b: { c: 1 } } },
    { spec: { b: { d: 2 } } },
    { spec: { a: 1, b: { c: 1, e: 3 }, defaulted: true }, status: { up: 1 } },
  );
  expect(merged).toEqual({ spec: { b: { d: 2, e: 3 }, defaulted: true }, status: { up: 1 } });
});

it("keeps an operator's drain when the file is applied again, because it joins members by address", () => {
  const last = {
    members: [
      { ip: "10.0.0.1", port: 80 },
      { ip: "10.0.0.2", port: 80, weight: 5 },
    ],
  };
  const wanted = {
    members: [
      { ip: "10.0.0.2", port: 80 },
      { ip: "10.0.0.3", port: 80 },
    ],
  };
  const live = {
    members: [
      { ip: "10.0.0.1", port: 80, weight: 1, state: "ready" },
      { ip: "10.0.0.2", port: 80, weight: 5, state: "drain" },
    ],
  };
  expect(mergeThreeWays(last, wanted, live)).toEqual({
    members: [
      { ip: "10.0.0.2", port: 80, state: "drain" },
      { ip: "10.0.0.3", port: 80 },
    ],
  });
});

it("keeps the node port that was handed out for a Service port", () => {
  const port = { port: 80, protocol: "TCP", nodePort: 30_001 };
  expect(mergeThreeWays({}, { ports: [{ port: 80, name: "web" }] }, { ports: [port] })).toEqual({
    ports: [{ ...port, name: "web" }],
  });
});

it("replaces lists without identities whole", () => {
  expect(mergeThreeWays({ l: [1] }, { l: [2] }, { l: [1, 3] })).toEqual({ l: [2] });
});

it("takes null as: this must not be there", () => {
  expect(mergeThreeWays({}, { a: null, b: { c: null } }, { a: 1, b: { c: 2, d: 3 } })).toEqual({
    b: { d: 3 },
  });
});
