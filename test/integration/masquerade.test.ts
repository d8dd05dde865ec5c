import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { MasqueradedService } from "../../src/linux/index.ts";
import { canMakeNamespaces, makeNamespace, type Namespace } from "../lab/namespaces.ts";
import { type Remote, startRemote } from "../lab/remote.ts";

const missing = canMakeNamespaces() ? "" : " (skipped: needs root and network namespaces)";
const KINDS = [
  {
    host: "masquerade",
    kind: "ip",
    type: "ipv4_addr",
    match: "ip daddr",
    web: "192.0.2.10",
    dns: "192.0.2.11",
  },
  {
    ...{ host: "masquerade6", kind: "ip6", type: "ipv6_addr", match: "ip6 daddr" },
    ...{ web: "2001:db8::10", dns: "2001:db8::11" },
  },
];

describe.skipIf(missing).each(KINDS)(
  `the table of masqueraded services in nf_tables, $kind${missing}`,
  (each) => {
    const WEB: MasqueradedService = { protocol: "TCP", ip: each.web, port: 30001 };
    const DNS: MasqueradedService = { protocol: "UDP", ip: each.dns, port: 53 };
    let namespace: Namespace;
    let host: Remote;
    const ruleset = () => namespace.run("nft", "list", "ruleset");
    beforeAll(async () => {
      namespace = makeNamespace("nft");
      namespace.run("nft", "add table ip others; add chain ip others c");
      host = await startRemote(namespace, "nft-host.ts", [each.host, "parasaus_n1"]);
    });
    afterAll(() => namespace?.[Symbol.asyncDispose]());

    it("is not there before it is made, and then is what nft calls it", async () => {
      expect(await host.call("list")).toBeUndefined();
      await host.call("install", [WEB]);
      expect(ruleset().replaceAll(/\s+/g, " ")).toContain(
        `table ${each.kind} parasaus_n1 { set services { type ${each.type} . inet_proto . inet_service ` +
          `elements = { ${each.web} . tcp . 30001 } } chain postrouting { type nat hook postrouting priority srcnat; ` +
          `policy accept; ct original ${each.match} . meta l4proto . ct original proto-dst @services masquerade } }`,
      );
    });

    it("tells whether the kernel can have it, without a trace", async () => {
      await host.call("uninstall");
      const before = ruleset();
      expect(await host.call("whyNot")).toBeUndefined();
      expect(ruleset()).toBe(before);
      await host.call("install", [WEB]);
      expect(await host.call("whyNot")).toBeUndefined();
      expect(await host.call("list")).toEqual([WEB]);
    });

    it("tells why the kernel cannot have it", async () => {
      const elsewhere = await startRemote(namespace, "nft-host.ts", [each.host, "n".repeat(300)]);
      expect(await elsewhere.call("whyNot")).toMatch(/^Cannot translate addresses with nf_tables: E/);
      await elsewhere.end();
    });

    it("notices that something has changed, by whomever, and nothing while nothing has", async () => {
      await host.call("install", [WEB]);
      expect(await host.call("hasChanged")).toBe(true);
      expect(await host.call("hasChanged")).toBe(false);
      namespace.run("nft", `flush set ${each.kind} parasaus_n1 services`);
      expect(await host.call("hasChanged")).toBe(true);
      expect(await host.call("hasChanged")).toBe(false);
    });

    it("takes services and gives them up, also those that it has, or has not", async () => {
      await host.call("install", [WEB]);
      await host.call("add", [WEB, DNS]);
      const listed = (await host.call("list")) as MasqueradedService[];
      expect(listed.sort((a, b) => (a.ip < b.ip ? -1 : 1))).toEqual([WEB, DNS]);
      await host.call("remove", [{ ...DNS, port: 54 }, DNS]);
      expect(await host.call("list")).toEqual([WEB]);
    });

    it("holds 35,000 services", async () => {
      const many = Array.from({ length: 35_000 }, (_, index) => ({ ...WEB, port: 30_000 + index }));
      const startMs = performance.now();
      await host.call("install", many);
      const listMs = performance.now();
      expect(((await host.call("list")) as unknown[]).length).toBe(35_000);
      const endMs = performance.now();
      process.stdout.write(
        `nf_tables n=35000 services: install ${Math.round(listMs - startMs)} ms, list ${Math.round(endMs - listMs)} ms\n`,
      );
      await host.call("remove", many.slice(1));
      expect(await host.call("list")).toEqual(many.slice(0, 1));
    });

    it("counts as not there when somebody removed its rule, so that it is made anew", async () => {
      await host.call("install", [WEB]);
      namespace.run("nft", `flush chain ${each.kind} parasaus_n1 postrouting`);
      expect(await host.call("list")).toBeUndefined();
      await host.call("install", [WEB]);
      expect(await host.call("list")).toEqual([WEB]);
    });

    it("counts as not there when somebody added a rule to it", async () => {
      await host.call("install", [WEB]);
      namespace.run("nft", `insert rule ${each.kind} parasaus_n1 postrouting accept`);
      expect(await host.call("list")).toBeUndefined();
    });

    it("goes whole, and leaves everybody else's tables", async () => {
      await host.call("install", [WEB]);
      await host.call("uninstall");
      await host.call("uninstall");
      expect(await host.call("list")).toBeUndefined();
      expect(ruleset().replaceAll(/\s+/g, " ").trim()).toBe("table ip others { chain c { } }");
    });
  },
);
