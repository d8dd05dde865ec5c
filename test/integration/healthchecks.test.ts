import { describe, expect, it } from "vitest";
import { systemClock } from "../../src/foundation/index.ts";
import { PROBES, type ProbeRegistry, type ReasonCode } from "../../src/health/index.ts";
import { type Condition, findDefinition, type Pool } from "../../src/model/index.ts";
import { canMakeNamespaces, ip, makeNamespace, type Namespace } from "../lab/namespaces.ts";
import { linesOf, nextLine } from "../lab/traffic.ts";
import { type ControlPlane, openControlPlane } from "./control-plane.ts";

const QUICK = { interval: "100ms", timeout: "50ms", rise: 2, fall: 2 };

/** Members whose health the test decides; answers come at once. */
class Fleet {
  readonly #codes = new Map<string, ReasonCode>();
  probeCount = 0;
  readonly registry: ProbeRegistry = {
    tcp: (target, report) => {
      this.probeCount += 1;
      report(this.#codes.get(target.ip) ?? "L4OK", "as the test says");
      return { timeoutCode: () => "L4TOUT", abandon: () => undefined };
    },
  };

  set(ipAddress: string, code: ReasonCode): void {
    this.#codes.set(ipAddress, code);
  }
}

function poolOf(name: string, ips: readonly string[], spec: Record<string, unknown> = {}): unknown {
  const members = ips.map((each) => ({ ip: each, port: 80 }));
  return {
    apiVersion: "parasaus.io/v1",
    kind: "Pool",
    metadata: { name, namespace: "default" },
    spec: { healthCheck: { type: "tcp", ...QUICK }, members, ...spec },
  };
}

function verdictsOf(pool: Pool | undefined): string {
  return (pool?.status?.members ?? []).map(({ verdict }) => verdict).join(" ");
}

const available = (pool: Pool | undefined): Condition | undefined =>
  pool?.status?.conditions?.find(({ type }) => type === "Available");

const until = (
  plane: ControlPlane,
  name: string,
  verdicts: string,
  withinMs?: number,
): Promise<Pool | undefined> =>
  plane.until<Pool>("Pool", `default/${name}`, (pool) => verdictsOf(pool) === verdicts, withinMs);

/** Counts the writes of one pool until the returned function is called. */
function watchWrites(plane: ControlPlane, name: string): () => Promise<string[]> {
  const stop = new AbortController();
  const seen: string[] = [];
  const definition = findDefinition("Pool");
  if (!definition) throw new Error("there are no pools");
  const watching = (async () => {
    for await (const event of plane.resources.watch(definition, { signal: stop.signal })) {
      if (event.type === "MODIFIED" && event.object.metadata.name === name)
        seen.push(verdictsOf(event.object as Pool));
    }
  })();
  return async () => {
    stop.abort();
    await watching;
    return seen;
  };
}

describe("circle-healthcheck over the embedded store", () => {
  it("brings members up, takes one down after fall and brings it back after rise, with the reason", async () => {
    const fleet = new Fleet();
    await using plane = await openControlPlane({ probes: fleet.registry });
    await plane.apply(poolOf("web", ["10.0.0.1", "10.0.0.2"]));
    expect(available(await until(plane, "web", "up up"))).toMatchObject({
      status: "True",
      reason: "MembersUp",
    });
    fleet.set("10.0.0.2", "L4CON");
    const hurt = await until(plane, "web", "up down");
    expect(hurt?.status?.members?.[1]?.reason).toBe("L4CON as the test says");
    expect(available(hurt)?.message).toBe("1 of 2 members are up and take new flows");
    fleet.set("10.0.0.1", "L4TOUT");
    expect(available(await until(plane, "web", "down down"))).toMatchObject({
      status: "False",
      reason: "NoMemberUp",
    });
    fleet.set("10.0.0.1", "L4OK");
    await until(plane, "web", "up down");
    const uid = hurt?.metadata.uid ?? "";
    const record = plane.controllers.probeLedger.read(uid, "10.0.0.2:80");
    expect(record).toMatchObject({ lastCode: "L4CON" });
    expect(record?.failureCount).toBeGreaterThan(2);
  });

  it("keeps verdicts over a restart: nothing goes down or up because the checker began anew", async () => {
    const fleet = new Fleet();
    fleet.set("10.0.0.2", "L4CON");
    let plane = await openControlPlane({ probes: fleet.registry });
    try {
      await plane.apply(poolOf("web", ["10.0.0.1", "10.0.0.2"]));
      const before = await until(plane, "web", "up down");
      plane = await plane.restart();
      const probesBefore = fleet.probeCount;
      await plane.until<Pool>("Pool", "default/web", () => fleet.probeCount > probesBefore + 10);
      const after = await plane.get<Pool>("Pool", "default/web");
      expect(after?.status?.members).toEqual(before?.status?.members);
      expect(after?.metadata.resourceVersion).toBe(before?.metadata.resourceVersion);
    } finally {
      await plane[Symbol.asyncDispose]();
    }
  });

  it("writes a flapping pool no more than once a second in the long run", async () => {
    const fleet = new Fleet();
    await using plane = await openControlPlane({ probes: fleet.registry });
    const healthCheck = { type: "tcp", ...QUICK, rise: 1, fall: 1 };
    await plane.apply(poolOf("web", ["10.0.0.1"], { healthCheck }));
    await until(plane, "web", "up");
    const writes = watchWrites(plane, "web");
    const startMs = performance.now();
    for (let flap = 0; performance.now() - startMs < 4_000; flap += 1) {
      fleet.set("10.0.0.1", flap % 2 === 0 ? "L4CON" : "L4OK");
      await systemClock.sleep(120);
    }
    const seen = await writes();
    expect(seen.length).toBeGreaterThanOrEqual(4);
    expect(seen.length).toBeLessThanOrEqual(3 + 5);
  });

  it("freezes verdicts when most of a large fleet fails at once, and only then", async () => {
    const fleet = new Fleet();
    await using plane = await openControlPlane({ probes: fleet.registry });
    const ips = Array.from({ length: 24 }, (_, at) => `10.0.1.${at + 1}`);
    for (let at = 0; at < 12; at += 1) await plane.apply(poolOf(`p${at}`, ips.slice(2 * at, 2 * at + 2)));
    for (let at = 0; at < 12; at += 1) await until(plane, `p${at}`, "up up");
    for (const each of ips) fleet.set(each, "L4TOUT");
    const countBefore = fleet.probeCount;
    await plane.until("Pool", "default/p0", () => fleet.probeCount > countBefore + 24 * 10);
    expect(plane.controllers.areVerdictsFrozen()).toBe(true);
    const frozen = await plane.list<Pool>("Pool");
    expect(frozen.map(verdictsOf)).toEqual(Array(12).fill("up up"));
    for (const each of ips.slice(2)) fleet.set(each, "L4OK");
    await until(plane, "p0", "down down");
    expect(plane.controllers.areVerdictsFrozen()).toBe(false);
  });

  it("lets a small installation go down altogether", async () => {
    const fleet = new Fleet();
    await using plane = await openControlPlane({ probes: fleet.registry });
    await plane.apply(poolOf("web", ["10.0.0.1", "10.0.0.2", "10.0.0.3"]));
    await until(plane, "web", "up up up");
    for (const each of ["10.0.0.1", "10.0.0.2", "10.0.0.3"]) fleet.set(each, "L4CON");
    await until(plane, "web", "down down down");
  });

  it("does not probe members under maintenance, and starts anew after it", async () => {
    const fleet = new Fleet();
    await using plane = await openControlPlane({ probes: fleet.registry });
    await plane.apply(poolOf("web", ["10.0.0.1"]));
    await until(plane, "web", "up");
    const member = { ip: "10.0.0.1", port: 80 };
    await plane.apply(poolOf("web", [], { members: [{ ...member, state: "maint" }] }));
    const resting = await until(plane, "web", "unchecked");
    expect(resting?.status?.members?.[0]?.reason).toBe("not probed: under maintenance");
    const probesBefore = fleet.probeCount;
    await systemClock.sleep(300);
    expect(fleet.probeCount).toBe(probesBefore);
    expect(plane.controllers.probeNow("default/web", "10.0.0.1:80")).toBeUndefined();
    fleet.set("10.0.0.1", "L4CON");
    await plane.apply(poolOf("web", [], { members: [member] }));
    await until(plane, "web", "down");
  });

  it("counts members of a pool without a check as up, and probes on demand where there is one", async () => {
    const fleet = new Fleet();
    await using plane = await openControlPlane({ probes: fleet.registry });
    await plane.apply(poolOf("free", ["10.0.0.9"], { healthCheck: { type: "none" } }));
    expect((await until(plane, "free", "up"))?.status?.members?.[0]?.reason).toContain("no health check");
    await plane.apply(poolOf("web", ["10.0.0.1"], { healthCheck: { type: "tcp", interval: "60s" } }));
    await until(plane, "web", "up");
    fleet.set("10.0.0.1", "L4CON");
    expect(await plane.controllers.probeNow("default/web", "10.0.0.1:80")).toMatchObject({ code: "L4CON" });
  });
});

const NET = "10.213.79";

/** A machine with an HTTP server that the test can kill: the program answers 200 on port 8080. */
async function openMember(at: number): Promise<{ readonly namespace: Namespace; readonly ip: string }> {
  const namespace = makeNamespace(`hc${at}`);
  const [here, there] = [`hc${process.pid}${at}a`, `hc${process.pid}${at}b`];
  ip("link", "add", here, "type", "veth", "peer", "name", there, "netns", namespace.id);
  ip("addr", "add", `${NET}.${4 * at + 1}/30`, "dev", here);
  ip("link", "set", here, "up");
  const address = `${NET}.${4 * at + 2}`;
  namespace.run("ip", "addr", "add", `${address}/30`, "dev", there);
  namespace.run("ip", "link", "set", there, "up");
  return { namespace, ip: address };
}

async function serve(member: { readonly namespace: Namespace; readonly ip: string }) {
  const program = `require("http").createServer((q,r)=>r.end("ok")).listen(8080,"${member.ip}",()=>console.log("ready"))`;
  const child = member.namespace.start([process.execPath, "-e", program]);
  await nextLine(linesOf(child), child);
  return child;
}

describe.skipIf(!canMakeNamespaces())("verdicts on real servers (needs root for namespaces)", () => {
  it("knows a killed member within 2.5 s with interval 1 s and fall 2, five times, and its recovery after rise", async () => {
    await using plane = await openControlPlane({ probes: PROBES });
    const members = await Promise.all([openMember(0), openMember(1)]);
    try {
      await serve(members[0]);
      let victim = await serve(members[1]);
      const healthCheck = { type: "http", interval: "1s", rise: 2, fall: 2 };
      const described = members.map((member) => ({ ip: member.ip, port: 8080 }));
      await plane.apply(poolOf("web", [], { healthCheck, members: described }));
      await until(plane, "web", "up up");
      const tookMs: number[] = [];
      for (let kill = 0; kill < 5; kill += 1) {
        await systemClock.sleep(kill * 230);
        const diesMs = performance.now();
        victim.kill("SIGKILL");
        await until(plane, "web", "up down");
        tookMs.push(Math.round(performance.now() - diesMs));
        victim = await serve(members[1]);
        const backMs = performance.now();
        await until(plane, "web", "up up");
        expect(performance.now() - backMs).toBeLessThan(4_000);
      }
      process.stdout.write(`killed 5 times, known after ${tookMs.join(", ")} ms\n`);
      expect(Math.max(...tookMs)).toBeLessThan(2_500);
    } finally {
      for (const member of members) await member.namespace[Symbol.asyncDispose]();
    }
  });
});
