import { expect, it } from "vitest";
import { serverNames } from "./server-names.ts";

const sources = {
  hostname: "Lb-1",
  extra: [],
  addresses: ["127.0.0.1", "10.0.0.9", "fe80::1", "2001:db8::7", "::1"],
};
const LOCAL = ["lb-1", "localhost", "127.0.0.1", "::1"];

it("names one address that it listens on, and this machine", () => {
  expect(serverNames({ ...sources, host: "10.0.0.5" })).toEqual(["10.0.0.5", ...LOCAL]);
  expect(serverNames({ ...sources, host: "lb.example" })).toEqual(["lb.example", ...LOCAL]);
});

it("names every address that means something elsewhere when it listens on all", () => {
  for (const host of ["0.0.0.0", "::"])
    expect(serverNames({ ...sources, host })).toEqual(["10.0.0.9", "2001:db8::7", ...LOCAL]);
});

it("puts first what the operator adds, each once, and leaves out what no certificate can name", () => {
  const extra = ["api.example", "*.lb.example", "10.0.0.5", "not a name", "", "-x"];
  expect(serverNames({ ...sources, extra, host: "10.0.0.5" })).toEqual([
    "api.example",
    "*.lb.example",
    "10.0.0.5",
    ...LOCAL,
  ]);
});
