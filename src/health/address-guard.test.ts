import { describe, expect, it } from "vitest";
import { refusalToProbe } from "./address-guard.ts";

describe("probe address guard", () => {
  it.each([
    ["127.0.0.1", "loopback"],
    ["127.255.255.254", "loopback"],
    ["169.254.1.1", "link-local"],
    ["169.254.169.254", "metadata"],
    ["100.100.100.200", "metadata"],
    ["168.63.129.16", "metadata"],
    ["224.0.0.1", "multicast"],
    ["239.255.255.255", "multicast"],
    ["255.255.255.255", "broadcast"],
    ["0.0.0.0", "unspecified"],
    ["0.1.2.3", "unspecified"],
  ])("refuses %s as %s, and names the class", (ip, addressClass) => {
    expect(refusalToProbe(ip, new Set())).toContain(addressClass);
  });

  it("lets ordinary addresses through, private ones included", () => {
    for (const ip of ["10.0.0.1", "192.168.1.1", "172.16.0.9", "100.64.0.1", "8.8.8.8"]) {
      expect(refusalToProbe(ip, new Set())).toBeUndefined();
    }
  });

  it("allows a class that the operator permits, and only that one", () => {
    const allowed = new Set(["loopback"] as const);
    expect(refusalToProbe("127.0.0.1", allowed)).toBeUndefined();
    expect(refusalToProbe("169.254.169.254", allowed)).toContain("metadata");
  });

  it("does not take permission for link-local as permission for metadata", () => {
    expect(refusalToProbe("169.254.169.254", new Set(["link-local"]))).toContain("metadata");
  });

  it.each(["", "localhost", "10.0.0", "::1", "010.0.0.1"])("refuses %j, which is no IPv4 address", (text) => {
    expect(refusalToProbe(text, new Set())).toContain("no IPv4 address");
  });
});
