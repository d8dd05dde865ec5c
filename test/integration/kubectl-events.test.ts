import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { ProbeRegistry, ReasonCode } from "../../src/health/index.ts";
import type { Condition, Pool } from "../../src/model/index.ts";
import { type ControlPlane, openControlPlane } from "./control-plane.ts";
import { findKubectls, type Kubectl, type ServerForKubectl, startServer } from "./kubectl.ts";

const CHECK = "healthCheck: { type: tcp, interval: 100ms, timeout: 50ms, rise: 1, fall: 2 }";
const FILE = `apiVersion: parasaus.io/v1
kind: Pool
metadata: { name: web }
spec:
  port: 30000
  ${CHECK}
  members: [{ ip: 10.0.0.1, port: 80 }, { ip: 10.0.0.2, port: 80 }]
---
apiVersion: parasaus.io/v1
kind: Pool
metadata: { name: other }
spec:
  ${CHECK}
  members: [{ ip: 10.0.0.3, port: 80 }]
---
apiVersion: v1
kind: Service
metadata: { name: homeless }
spec: { type: LoadBalancer, ports: [{ port: 80 }] }
---
apiVersion: parasaus.io/v1
kind: AddressPool
metadata: { name: private }
spec: { addresses: [10.9.0.0/28], autoAssign: false }
`;

const { found } = findKubectls();

it("finds a kubectl to test with", () => {
  expect(found.length).toBeGreaterThan(0);
});

describe.each(found)("kubectl $version shows what happened", (kubectl: Kubectl) => {
  const codes = new Map<string, ReasonCode>();
  const probes: ProbeRegistry = {
    tcp: ({ ip }, report) => {
      report(codes.get(ip) ?? "L4OK", codes.has(ip) ? "connection refused" : "connected");
      return { timeoutCode: () => "L4TOUT", abandon: () => undefined };
    },
  };
  const minor = Number(kubectl.version.split(".")[1]);
  let plane: ControlPlane;
  let server: ServerForKubectl;

  beforeAll(async () => {
    plane = await openControlPlane({ probes });
    server = await startServer(plane.resources);
    const applied = await server.run(kubectl, ["apply", "-f", "-"], FILE);
    expect(applied).toMatchObject({ code: 0 });
    for (const name of ["web", "other"]) await plane.until<Pool>("Pool", `parasaus/${name}`, isUp);
    await plane.until("Service", "parasaus/homeless", (service) => conditionsOf(service).length > 0);
  });
  afterAll(async () => {
    await server[Symbol.asyncDispose]();
    await plane[Symbol.asyncDispose]();
  });

  const run = (args: string) => server.run(kubectl, args.split(" "));
  const out = async (args: string): Promise<string> => {
    const result = await run(args);
    expect(result, `kubectl ${args}: ${result.stderr}`).toMatchObject({ code: 0 });
    return result.stdout;
  };
  /** The rows below `Events:`, without their ages. */
  const describedEvents = async (object: string): Promise<string[]> =>
    (await out(`describe ${object}`))
      .split(/^Events:.*\n/m)
      .slice(1)
      .join()
      .split("\n")
      .slice(2)
      .map((line) => line.trim().split(/\s{2,}/))
      .filter((cells) => cells.length === 5)
      .map(([type, reason, , from, message]) => `${type} ${reason} ${from}: ${message}`);

  it("tells below a pool who made it, what address it got, and that its members are up", async () => {
    const events = await describedEvents("pool web");
    expect(events.toSorted()).toEqual([
      `Normal Allocated allocator: *:30000/TCP from address pool "node-ports"`,
      "Normal Created api: alice created it",
      "Normal MemberUp circle-healthcheck: 10.0.0.1:80 is up: L4OK connected",
      "Normal MemberUp circle-healthcheck: 10.0.0.2:80 is up: L4OK connected",
      "Normal MembersUp circle-healthcheck: 2 of 2 members are up and take new flows",
    ]);
  });

  it("warns of a member that went down, with the reason, below its own pool alone", async () => {
    codes.set("10.0.0.2", "L4CON");
    await plane.until<Pool>("Pool", "parasaus/web", (pool) => pool?.status?.members?.[1]?.verdict === "down");
    const down = "Warning MemberDown circle-healthcheck: 10.0.0.2:80 is down: L4CON connection refused";
    const events = await describedEvents("pool web");
    expect(events).toContain(down);
    expect(events).not.toContain("Normal MemberUp circle-healthcheck: 10.0.0.2:80 is up: L4OK connected");
    const others = await describedEvents("pool other");
    expect(others).toContain("Normal MemberUp circle-healthcheck: 10.0.0.3:80 is up: L4OK connected");
    expect(others.join()).not.toContain("10.0.0.2");
  });

  it("tells below a Service what is wrong, and below an object without a namespace who made it", async () => {
    expect((await describedEvents("service homeless")).join("\n")).toMatch(
      /^Warning NoAddressPool circle-watch: no address pool .*autoAssign/m,
    );
    expect(await describedEvents("addresspool private")).toEqual(["Normal Created api: alice created it"]);
  });

  it("lists them as a table, as objects, by field, and in all namespaces", async () => {
    const table = await out("get events");
    expect(table.split("\n")[0]?.split(/\s{2,}/)).toEqual([
      "LAST SEEN",
      "TYPE",
      "REASON",
      "OBJECT",
      "MESSAGE",
    ]);
    expect(table).toMatch(/^\d+s\s+Warning\s+MemberDown\s+pool\/web\s+10\.0\.0\.2:80 is down: L4CON/m);
    expect(table).not.toContain("addresspool/private");
    expect(await out("get ev -A")).toMatch(/^default\s+.*addresspool\/private\s+alice created it/m);
    const warnings = await out("get events --field-selector type=Warning,involvedObject.kind=Pool");
    expect(warnings.trimEnd().split("\n").slice(1)).toEqual([
      expect.stringMatching(/Warning\s+MemberDown\s+pool\/web/),
    ]);
    const [name = ""] = (
      await out("get events --field-selector reason=MemberDown -o jsonpath={.items[*].metadata.name}")
    ).split(" ");
    expect(await out(`get event ${name} -o jsonpath={.involvedObject.fieldPath}`)).toBe(
      "spec.members{10.0.0.2:80}",
    );
    expect(await out("get events --sort-by=.lastTimestamp -o name")).toMatch(/^event\/web\./m);
    expect(await out("explain event.involvedObject")).toMatch(/fieldPath\s+<string>/);
  });

  it.runIf(minor >= 26)("lists those of one object with kubectl events", async () => {
    const events = await out("events --for pool/web");
    expect(events).toMatch(/Warning\s+MemberDown\s+Pool\/web\s+10\.0\.0\.2:80 is down: L4CON/);
    expect(events).not.toContain("Pool/other");
    expect(await out("events --types=Warning")).toMatch(/Warning\s+NoAddressPool\s+Service\/homeless/);
  });

  it("says that they cannot be watched or written, rather than wait in vain", async () => {
    expect((await run("get events -w")).stderr).toContain("MethodNotAllowed");
    expect((await run("delete events --all")).stderr).toContain("MethodNotAllowed");
  });

  it("tells of operations on a member, and of a pool that is gone", async () => {
    const body = { spec: { members: [{ ip: "10.0.0.3", port: 80, state: "drain" }] } };
    await out(`patch pool other --type=merge -p ${JSON.stringify(body)}`);
    expect(await describedEvents("pool other")).toContain("Normal Drained api: alice drained 10.0.0.3:80");
    await out("delete pool other");
    await plane.until("Pool", "parasaus/other", (pool) => pool === undefined);
    const events = await out("get events --field-selector involvedObject.name=other");
    expect(events).toMatch(/Normal\s+Deleted\s+pool\/other\s+alice deleted it/);
    expect(events).not.toContain("MemberUp");
  });
});

function isUp(pool: Pool | undefined): boolean {
  const members = pool?.status?.members ?? [];
  const isAvailable = conditionsOf(pool).some(
    ({ type, status }) => type === "Available" && status === "True",
  );
  return isAvailable && members.every(({ verdict }) => verdict === "up") && members.length > 0;
}

function conditionsOf(object: unknown): readonly Condition[] {
  return (object as { status?: { conditions?: readonly Condition[] } } | undefined)?.status?.conditions ?? [];
}
