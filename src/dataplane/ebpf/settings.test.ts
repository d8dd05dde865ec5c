import { describe, expect, it } from "vitest";
import { sourcePortsFor } from "./settings.ts";

describe("fullnat's source ports", () => {
  it("lie below Linux's own range by default", () => {
    expect(sourcePortsFor({}, "32768\t60999")).toEqual({ firstPort: 1024, lastPort: 29_999 });
  });

  it("are refused where the node's own connections could use them", () => {
    expect(() => sourcePortsFor({}, "1024\t65535")).toThrow(/ip_local_port_range is 1024-65535/);
    expect(() =>
      sourcePortsFor({ sourcePorts: { firstPort: 1, lastPort: 40_000 } }, "32768 60999"),
    ).toThrow();
  });

  it("may be any where the addresses are fullnat's alone", () => {
    const options = { sourceAddresses: ["10.0.0.9"] };
    expect(sourcePortsFor(options, "1024 65535")).toEqual({ firstPort: 1024, lastPort: 65_535 });
  });
});
