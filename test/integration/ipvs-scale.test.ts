import { rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { missingForIpvs } from "../lab/ipvs-world.ts";
import { makeNamespace, type Namespace } from "../lab/namespaces.ts";
import { type Remote, startRemote } from "../lab/remote.ts";

const NODE_IP = "10.9.0.1";
const COUNT = Number(process.env["PARASAUS_IPVS_SERVICES"] ?? 300);
const missing = missingForIpvs();

interface Cost {
  readonly observeMs: number;
  readonly applyMs: number;
  readonly poolCount: number;
  readonly operationCount: number;
  readonly failureCount: number;
  readonly askCount: number;
  readonly writeCount: number;
  readonly residentMegabytes: number;
}

describe.skipIf(missing)(`IPVS driver with ${COUNT} pools${missing}`, () => {
  let namespace: Namespace;
  let host: Remote;
  const open = async () => {
    host = await startRemote(namespace, "ipvs-scale.ts", [JSON.stringify({ node: namespace.id })]);
    await host.call("setNodeAddresses", [NODE_IP]);
  };
  const bring = (place: "ports" | "addresses") => host.call("bring", COUNT, place) as Promise<Cost>;
  const services = () => namespace.run("cat", "/proc/net/ip_vs").match(/^TCP/gm)?.length ?? 0;
  const begin = async (name: string) => {
    namespace = makeNamespace(name);
    await open();
  };
  const end = async () => {
    await host?.end();
    await namespace?.[Symbol.asyncDispose]();
    rmSync(`/run/parasaus/ipvs/${namespace?.id}.jsonl`, { force: true });
  };
  beforeAll(() => begin("scale"));
  afterAll(end);

  it("programs them all, and then asks the kernel for none of them while nothing changes", async () => {
    const loaded = await bring("ports");
    expect(loaded).toMatchObject({ operationCount: COUNT, failureCount: 0, writeCount: 3 * COUNT });
    expect(services()).toBe(COUNT);
    // What it wrote it reads again, once.
    const checked = await bring("ports");
    const idle = await bring("ports");
    process.stdout.write(
      `IPVS driver n=${COUNT} x 2: load ${seconds(loaded.applyMs)} s, ${Math.round(loaded.residentMegabytes)} MB; first comparison ${seconds(checked.observeMs)} s with ${checked.askCount} questions; idle comparison ${seconds(idle.observeMs)} s with ${idle.askCount} questions, ${idle.writeCount} writes\n`,
    );
    expect(checked.askCount).toBeGreaterThan(COUNT / 2);
    expect(idle).toMatchObject({ poolCount: COUNT, operationCount: 0, writeCount: 0 });
    // The time-outs, and the daemons of connection sync.
    expect(idle.askCount).toBe(2);
    expect(loaded.residentMegabytes).toBeLessThan(400);
  });

  it("asks for what somebody changed by hand and for nothing else, and repairs it", async () => {
    const service = (port: number) => ["-t", `${NODE_IP}:${port}`];
    const before = namespace.run("ipvsadm", "-Sn");
    namespace.run("ipvsadm", "-E", ...service(30_001), "-s", "wlc");
    namespace.run("ipvsadm", "-D", ...service(30_002));
    namespace.run("ipvsadm", "-e", ...service(30_003), "-r", "10.100.0.25:8080", "-m", "-w", "7");
    const repair = await bring("ports");
    expect(repair).toMatchObject({ operationCount: 3, failureCount: 0 });
    expect(repair.askCount).toBeLessThan(20);
    expect(sorted(namespace.run("ipvsadm", "-Sn"))).toEqual(sorted(before));
  });

  it("is there again after a kill, with nothing to write", async () => {
    await host.kill();
    await open();
    const again = await bring("ports");
    process.stdout.write(
      `IPVS driver n=${COUNT} x 2, restarted: read in ${seconds(again.observeMs)} s, ${again.writeCount} writes\n`,
    );
    expect(again).toMatchObject({ poolCount: COUNT, operationCount: 0, writeCount: 0 });
  });

  it("makes an address each the machine's own, and gives them up again", async () => {
    // Where as many services have just been deleted, adding takes many times as long.
    await end();
    await begin("places");
    const loaded = await bring("addresses");
    expect(loaded).toMatchObject({ operationCount: COUNT, failureCount: 0 });
    const routes = () => namespace.run("ip", "route", "show", "table", "local", "proto", "112").split("\n");
    const addresses = routes().flatMap((line) => /198\.[\d.]+/.exec(line) ?? []);
    expect(addresses).toHaveLength(COUNT);
    const checked = await bring("addresses");
    const removeMs = (await host.call("removeAll")) as number;
    expect([services(), routes().join("")]).toEqual([0, ""]);
    const addMs = addByHand(addresses);
    process.stdout.write(
      `IPVS driver n=${COUNT} addresses x 2: load with routes ${seconds(loaded.applyMs)} s, first comparison ${seconds(checked.observeMs)} s, removed in ${seconds(removeMs)} s; "ip address add" of as many alone ${seconds(addMs)} s\n`,
    );
  });

  /** What it would cost without routes. */
  function addByHand(addresses: readonly string[]): number {
    const file = path.join(tmpdir(), `paratest-addresses-${process.pid}`);
    writeFileSync(file, addresses.map((ip) => `address add ${ip}/32 dev lo\n`).join(""));
    const startMs = performance.now();
    namespace.run("ip", "-batch", file);
    rmSync(file);
    return performance.now() - startMs;
  }
});

function sorted(text: string): readonly string[] {
  return text.split("\n").sort();
}

function seconds(ms: number): string {
  return (ms / 1000).toFixed(1);
}
