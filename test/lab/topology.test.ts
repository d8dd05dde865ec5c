import { existsSync, readdirSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { canMakeNamespaces, readNetstat } from "./namespaces.ts";
import { openTopology } from "./topology.ts";
import { startMember, startTraffic } from "./traffic.ts";

describe.skipIf(!canMakeNamespaces())("test lab (needs root and network namespaces)", () => {
  it("carries requests straight from the clients to a member, and removes everything it made", async () => {
    const ids: string[] = [];
    {
      await using lab = await openTopology({ memberCount: 2 });
      ids.push(lab.client.id, lab.node.id, ...lab.members.map((member) => member.namespace.id));
      const [first, second] = lab.members;
      if (!first || !second) throw new Error("no members");
      await Promise.all([startMember(first), startMember(second)]);
      const requests = startTraffic(lab.client, {
        mode: "requests",
        host: second.ip,
        port: 8080,
        total: 400,
        concurrency: 8,
        sources: lab.clientIps,
      });
      const report = await requests.finished();
      expect(report).toMatchObject({ succeeded: 400, failures: {}, members: { m2: 400 } });
      const hold = startTraffic(lab.client, {
        mode: "hold",
        host: first.ip,
        port: 8080,
        connections: 20,
        sources: lab.clientIps,
      });
      while ((await hold.mark()).exchanged < 100);
      const held = await hold.stop();
      expect(held).toMatchObject({
        opened: 20,
        moved: 0,
        resets: 0,
        ends: 0,
        timeouts: 0,
        members: { m1: 20 },
      });
      expect(readNetstat(lab.client, "Tcp", "ActiveOpens")).toBeGreaterThanOrEqual(420);
    }
    const left = existsSync("/run/netns") ? readdirSync("/run/netns") : [];
    expect(ids.filter((id) => left.includes(id))).toEqual([]);
  });

  it("tells a refused connection from an answered one", async () => {
    await using lab = await openTopology({ memberCount: 1, clientAddressCount: 2 });
    const [member] = lab.members;
    const requests = startTraffic(lab.client, {
      mode: "requests",
      host: member?.ip ?? "",
      port: 8080,
      total: 10,
      concurrency: 2,
      sources: lab.clientIps,
    });
    expect(await requests.finished()).toMatchObject({ succeeded: 0, failures: { ECONNREFUSED: 10 } });
  });
});
