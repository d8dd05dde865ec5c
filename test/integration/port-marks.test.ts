import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { PortMark } from "../../src/linux/index.ts";
import { canMakeNamespaces, makeNamespace, type Namespace } from "../lab/namespaces.ts";
import { type Remote, startRemote } from "../lab/remote.ts";

const missing = canMakeNamespaces() ? "" : " (skipped: needs root and network namespaces)";
const FTP: PortMark = { protocol: "TCP", ip: "192.0.2.10", port: 30000, lastPort: 30009, mark: 0x70000001 };
const MEDIA: PortMark = { protocol: "UDP", ip: "2001:db8::10", port: 1, lastPort: 65535, mark: 0x70000002 };

describe.skipIf(missing)(`the table of marked ranges of ports in nf_tables${missing}`, () => {
  let namespace: Namespace;
  let host: Remote;
  const ruleset = () => namespace.run("nft", "list", "ruleset").replaceAll(/\s+/g, " ");
  beforeAll(async () => {
    namespace = makeNamespace("marks");
    namespace.run("nft", "add table inet others; add chain inet others c");
    host = await startRemote(namespace, "nft-host.ts", ["marks", "parasaus_n1"]);
  });
  afterAll(() => namespace?.[Symbol.asyncDispose]());

  it("is not there before it is made, and then is what nft calls it", async () => {
    expect(await host.call("list")).toBeUndefined();
    await host.call("install", [FTP, MEDIA]);
    const rules = [4, 6].map((family) => {
      const address = family === 4 ? "ip daddr" : "ip6 daddr";
      // nft knows that only IPv4 has an ip header, and does not say so.
      return `meta mark set ${address} . meta l4proto . th dport map @ranges${family}`;
    });
    const chains = Object.entries({ prerouting: "dstnat + 1", output: "-99" }).map(
      ([name, priority]) =>
        `chain ${name} { type filter hook ${name} priority ${priority}; policy accept; ${rules.join(" ")} }`,
    );
    expect(ruleset()).toContain(
      "table inet parasaus_n1 { " +
        "map ranges4 { type ipv4_addr . inet_proto . inet_service : mark flags interval " +
        "elements = { 192.0.2.10 . tcp . 30000-30009 : 0x70000001 } } " +
        "map ranges6 { type ipv6_addr . inet_proto . inet_service : mark flags interval " +
        "elements = { 2001:db8::10 . udp . 1-65535 : 0x70000002 } } " +
        `${chains.join(" ")} }`,
    );
    expect(await host.call("list")).toEqual([FTP, MEDIA]);
  });

  it("tells whether the kernel can have it, without a trace", async () => {
    await host.call("uninstall");
    const before = ruleset();
    expect(await host.call("whyNot")).toBeUndefined();
    expect(ruleset()).toBe(before);
  });

  it("exchanges a range for one that overlaps it at once", async () => {
    await host.call("install", [FTP]);
    const wider = { ...FTP, lastPort: 30019, mark: 0x70000003 };
    await expect(host.call("change", [], [wider])).rejects.toThrow(/E(EXIST|NOTEMPTY)/);
    expect(await host.call("list")).toEqual([FTP]);
    await host.call("change", [FTP], [wider]);
    expect(await host.call("list")).toEqual([wider]);
  });

  it("is not taken for right when a rule is missing", async () => {
    await host.call("install", [FTP]);
    expect(await host.call("hasChanged")).toBe(true);
    expect(await host.call("hasChanged")).toBe(false);
    namespace.run("nft", "flush", "chain", "inet", "parasaus_n1", "output");
    expect(await host.call("hasChanged")).toBe(true);
    expect(await host.call("list")).toBeUndefined();
  });

  it("leaves nothing but what others have when it is uninstalled", async () => {
    await host.call("uninstall");
    expect(ruleset()).toBe("table inet others { chain c { } } ");
  });
});
