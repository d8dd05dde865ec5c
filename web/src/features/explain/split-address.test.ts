import { expect, it } from "vitest";
import { splitAddress } from "./split-address.ts";

it("takes IPv4 and bracketed IPv6 addresses apart", () => {
  expect(splitAddress(" 10.0.0.7:51234 ")).toEqual({ ip: "10.0.0.7", port: 51_234 });
  expect(splitAddress("[fd00::1]:80")).toEqual({ ip: "fd00::1", port: 80 });
});

it.each(["", "10.0.0.7", "10.0.0.7:0", "10.0.0.7:65536", "fd00::1:80", "web:80", "10.0.0.7:80x"])(
  "takes nothing from %j, which the server would refuse",
  (text) => {
    expect(splitAddress(text)).toBeUndefined();
  },
);
