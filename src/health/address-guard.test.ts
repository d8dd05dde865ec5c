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

  it.each(["", "localhost", "10.0.0", "fe80::1%eth0", "010.0.0.1"])(
    "refuses %j, which is no IP address",
    (text) => {
      expect(refusalToProbe(text, new Set())).toContain("no IP address");
    },
  );

  it.each([
    ["::1", "loopback"],
    ["::", "unspecified"],
    ["fe80::1", "link-local"],
    ["ff02::1", "multicast"],
    ["fd00:ec2::254", "metadata"],
  ] as const)("refuses %s of IPv6 unless %s addresses are allowed", (ip, addressClass) => {
    expect(refusalToProbe(ip, new Set())).toContain(addressClass);
    expect(refusalToProbe(ip, new Set([addressClass]))).toBeUndefined();
    expect(refusalToProbe("2001:db8::1", new Set())).toBeUndefined();
  });

  it("refuses an address of IPv4 in the clothes of IPv6, whatever is allowed", () => {
    expect(refusalToProbe("::ffff:127.0.0.1", new Set(["loopback"]))).toContain("written as IPv6");
  });
});
