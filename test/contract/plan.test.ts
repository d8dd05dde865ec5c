import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Plan, PlannedObject, Pool } from "../../src/model/index.ts";
import { type AccountWorld, bodyAs, openShopWorld, PATIENCE, type Shown } from "./account-world.ts";

const POOLS = "/apis/parasaus.io/v1/namespaces/shop/pools";

let world: AccountWorld;
let olga: Shown;
let vic: Shown;
beforeAll(async () => {
  ({ world, olga, vic } = await openShopWorld());
});
afterAll(() => world[Symbol.asyncDispose]());

const member = (port: number, more: object = {}) => ({ ip: "192.0.2.1", port, ...more });
const poolOf = (name: string, spec: object = {}, namespace = "shop") => ({
  ...{ apiVersion: "parasaus.io/v1", kind: "Pool", metadata: { name, namespace } },
  spec: { healthCheck: { type: "none" }, members: [member(80), member(81)], ...spec },
});
async function ask(shown: Shown, method: string, route: string, body?: unknown) {
  const answer = await world.call(shown, method, route, body);
  if (answer.status >= 300) throw new Error(`${route}: ${answer.status} ${JSON.stringify(answer.body)}`);
  return answer.body;
}
async function plan(objects: readonly unknown[], more: object = {}, shown = olga): Promise<Plan> {
  return bodyAs<Plan>(await ask(shown, "POST", "/api/plan", { objects, ...more }));
}
const outcomes = ({ objects }: Plan) =>
  objects.map(({ kind, name, outcome }) => `${kind}/${name} ${outcome}`);
const only = ({ objects }: Plan): PlannedObject => {
  const [first, ...more] = objects;
  if (!first || more.length > 0) throw new Error(`${objects.length} objects`);
  return first;
};
const everything = async () => {
  const kinds = ["pools", "operations"].map((plural) => `/apis/parasaus.io/v1/${plural}`);
  const lists = [...kinds, "/api/v1/services", "/api/v1/endpoints", "/api/v1/namespaces"];
  const bodies = await Promise.all(lists.map((route) => ask(world.owner, "GET", route)));
  return JSON.stringify(bodies.map(({ items }) => items));
};

describe("a plan", () => {
  it("says field by field what a file would change, and stores nothing", async () => {
    await ask(olga, "POST", POOLS, poolOf("web", { drainSeconds: 9 }));
    const placed = async () => bodyAs<Pool>(await ask(olga, "GET", `${POOLS}/web`)).status;
    await expect.poll(async () => (await placed())?.connectAddresses?.length, PATIENCE).toBe(1);
    const before = await everything();
    const members = [member(80, { state: "drain" }), member(82)];
    const planned = await plan(
      [
        poolOf("web", { drainSeconds: 5, members }),
        poolOf("new", {}, "fresh"),
        { ...poolOf("here"), metadata: { name: "here" } },
      ],
      {},
      world.owner,
    );
    expect(outcomes(planned)).toEqual(["Pool/web changed", "Pool/new created", "Pool/here created"]);
    const changes = (planned.objects[0]?.changes ?? []).toSorted((a, b) => (a.field < b.field ? -1 : 1));
    expect(changes).toEqual([
      { field: "spec.drainSeconds", before: 9, after: 5 },
      { field: "spec.members[192.0.2.1:80].state", after: "drain" },
      { field: "spec.members[192.0.2.1:81].ip", before: "192.0.2.1" },
      { field: "spec.members[192.0.2.1:81].port", before: 81 },
      { field: "spec.members[192.0.2.1:82].ip", after: "192.0.2.1" },
      { field: "spec.members[192.0.2.1:82].port", after: 82 },
    ]);
    expect(planned.objects[2]?.namespace).toBe("default");
    const shares = planned.objects[0]?.traffic?.members.map((each) => [
      each.before?.share,
      each.after?.share,
    ]);
    expect(shares).toEqual([
      [0.5, 0],
      [0.5, undefined],
      [undefined, 1],
    ]);
    expect(planned.objects[0]?.traffic?.address).toBeUndefined();
    expect(planned.objects[1]?.traffic?.address).toEqual({ after: "a free one of node-ports" });
    expect(await everything()).toBe(before);
  });

  it("of what is there already says that nothing would change", async () => {
    const same = poolOf("same");
    await ask(olga, "POST", POOLS, same);
    const planned = await plan([same]);
    expect(only(planned)).toMatchObject({ outcome: "unchanged", changes: [], documentIndex: 0 });
    expect(planned).toMatchObject({ keptCount: 0, drainedCount: 0, cutCount: 0, unknownNodes: [] });
  });

  it("refuses what the write would refuse, in its words, and goes on with the others", async () => {
    const wrong = poolOf("wrong", { drainSeconds: -1, colour: "red" });
    const write = await world.call(olga, "POST", POOLS, wrong);
    const planned = await plan([wrong, poolOf("right"), { kind: "Pool" }, { ...wrong, kind: "Cloud" }]);
    expect(outcomes(planned)).toEqual([
      ...["Pool/wrong refused", "Pool/right created", "Pool/ refused", "Cloud/wrong refused"],
    ]);
    const details = write.body["details"] as { causes: readonly { field: string; message: string }[] };
    expect(write.status).toBeGreaterThanOrEqual(400);
    expect(planned.objects[0]?.refusal?.message).toBe(write.body["message"]);
    expect(planned.objects[0]?.refusal?.fields).toEqual(details.causes);
    expect(planned.objects[0]?.refusal?.fields.length).toBeGreaterThan(0);
    expect((await world.call(olga, "POST", "/api/plan", { objects: [] })).status).toBe(400);
  });

  it("sees what stands before it in the same files", async () => {
    const planned = await plan([poolOf("twice", { drainSeconds: 1 }), poolOf("twice", { drainSeconds: 2 })]);
    expect(outcomes(planned)).toEqual(["Pool/twice created", "Pool/twice changed"]);
    expect(planned.objects[1]?.changes).toEqual([{ field: "spec.drainSeconds", before: 1, after: 2 }]);
  });

  it("keeps what somebody else set when it applies, and not when it replaces", async () => {
    const file = poolOf("both");
    await ask(olga, "POST", POOLS, poolOf("both", { members: [member(80, { state: "drain" }), member(81)] }));
    expect(only(await plan([file])).outcome).toBe("unchanged");
    const replaced = only(await plan([file], { mode: "replace" }));
    expect(replaced.changes).toEqual([{ field: "spec.members[192.0.2.1:80].state", before: "drain" }]);
  });

  it("warns of a connect address that another pool holds", async () => {
    await ask(olga, "POST", POOLS, poolOf("holder", { port: 31_001 }));
    const address = async () =>
      bodyAs<Pool>(await ask(olga, "GET", `${POOLS}/holder`)).status?.connectAddresses?.[0]?.port;
    await expect.poll(address, PATIENCE).toBe(31_001);
    const { warnings, outcome } = only(await plan([poolOf("rival", { port: 31_001 })]));
    expect([outcome, warnings.join()]).toEqual(["created", "*:31001/TCP is held by pool shop/holder"]);
    const free = only(await plan([poolOf("rival", { port: 31_002 })]));
    expect([free.warnings, free.traffic?.address]).toEqual([[], { after: "*:31002/TCP" }]);
  });

  it("is for who may write the objects: each that he may not is refused, and recorded once", async () => {
    const before = (await world.operations()).length;
    const seen = await plan([poolOf("web"), poolOf("safe", {}, "bank")], {}, vic);
    expect(seen.objects.map(({ outcome, refusal }) => [outcome, refusal?.code])).toEqual([
      ["refused", "Forbidden"],
      ["refused", "Forbidden"],
    ]);
    expect(seen.objects.map(({ changes, traffic }) => [changes, traffic])).toEqual([
      [[], undefined],
      [[], undefined],
    ]);
    const half = await plan([poolOf("web", { drainSeconds: 8 }), poolOf("safe", {}, "bank")]);
    expect(half.objects.map(({ outcome }) => outcome)).toEqual(["changed", "refused"]);
    const added = (await world.operations()).slice(before);
    expect(added.map(({ spec }) => `${spec.operator} ${spec.verb} ${spec.object.name}`).sort()).toEqual([
      "olga refuse safe",
      "vic refuse safe",
      "vic refuse web",
    ]);
    expect((await world.call({}, "POST", "/api/plan", { objects: [poolOf("web")] })).status).toBe(401);
  });
});

describe("the plan of a Service", () => {
  const service = (ports: readonly object[]) => ({
    ...{ apiVersion: "v1", kind: "Service", metadata: { name: "svc", namespace: "shop" } },
    spec: { type: "NodePort", ports },
  });
  const endpoints = (ips: readonly string[]) => ({
    ...{ apiVersion: "v1", kind: "Endpoints" },
    metadata: { name: "svc", namespace: "shop", annotations: { healthCheckType: "none" } },
    subsets: [{ addresses: ips.map((ip) => ({ ip })), ports: [{ name: "http", port: 8080 }] }],
  });
  const http = { name: "http", port: 80, nodePort: 31_777 };
  const pool = async () => bodyAs<Pool>((await world.call(olga, "GET", `${POOLS}/svc`)).body);
  const ips = async () => (await pool()).spec?.members.map(({ ip }) => ip);

  it("has the Pool that circle-watch makes of it then", async () => {
    const files = [service([http]), endpoints(["192.0.2.10", "192.0.2.11"])];
    const planned = await plan(files);
    expect(outcomes(planned)).toEqual(["Service/svc created", "Endpoints/svc created", "Pool/svc created"]);
    const [, , foreseen] = planned.objects;
    expect([foreseen?.service, foreseen?.traffic?.address]).toEqual(["svc", { after: "*:31777/TCP" }]);
    expect((await world.call(olga, "GET", `${POOLS}/svc`)).status).toBe(404);
    await ask(olga, "POST", "/api/v1/namespaces/shop/services", files[0]);
    await ask(olga, "POST", "/api/v1/namespaces/shop/endpoints", files[1]);
    await expect.poll(ips, PATIENCE).toEqual(["192.0.2.10", "192.0.2.11"]);
    const made = await pool();
    const afterOf = (field: string) => foreseen?.changes.find((change) => change.field === field)?.after;
    for (const field of ["addressPool", "port", "protocol", "scheduler", "drainSeconds"] as const)
      expect(afterOf(`spec.${field}`)).toEqual(made.spec[field]);
    expect(foreseen?.traffic?.members.map((each) => each.member)).toEqual(
      made.spec.members.map(({ ip, port }) => `${ip}:${port}`),
    );
    await expect.poll(async () => (await pool()).status?.connectAddresses?.length, PATIENCE).toBe(1);
    expect(outcomes(await plan(files))).toEqual(["Service/svc unchanged", "Endpoints/svc unchanged"]);
  });

  it("shows what its Endpoints alone change in the Pool, and that a port that goes takes its Pool along", async () => {
    const shrunk = await plan([endpoints(["192.0.2.11"])]);
    expect(outcomes(shrunk)).toEqual(["Endpoints/svc changed", "Pool/svc changed"]);
    const shares = shrunk.objects[1]?.traffic?.members.map((each) => [each.member, each.after?.share]);
    expect(shares).toEqual([
      ["192.0.2.10:8080", undefined],
      ["192.0.2.11:8080", 1],
    ]);
    const other = await plan([service([{ name: "admin", port: 81, nodePort: 31_778 }])]);
    expect(outcomes(other)).toEqual(["Service/svc changed", "Pool/svc-admin created", "Pool/svc deleted"]);
    expect(await ips()).toEqual(["192.0.2.10", "192.0.2.11"]);
  });
});
