import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { poolDefinition } from "../../src/model/index.ts";
import { FIELD_ENDPOINTS, FIELD_SERVICE } from "./field-files.ts";
import {
  type CommandResult,
  findKubectls,
  type Kubectl,
  type ServerForKubectl,
  startServer,
} from "./kubectl.ts";

const { found, missing } = findKubectls();

/** A Service with its Endpoints in one stream. */
const FIELD = `${FIELD_SERVICE}---\n${FIELD_ENDPOINTS}`;

const POOL = `apiVersion: parasaus.io/v1
kind: Pool
metadata: { name: web, labels: { app: web } }
spec:
  scheduler: wrr
  drainSeconds: 10
  members:
  - { ip: 10.0.0.1, port: 80 }
  - { ip: 10.0.0.2, port: 80, weight: 3 }
`;

const OTHER_POOL = POOL.replace("name: web, labels: { app: web }", "name: api, labels: { app: api }").replace(
  "drainSeconds: 10",
  "drainSeconds: 20",
);

it.skipIf(missing.length > 0)(`tests Debian's kubectl too ${missing.join()}`.trimEnd(), () => {
  expect(found.map(({ version }) => version)).toContain("1.20");
});

it("finds a kubectl to test with", () => {
  expect(found.length).toBeGreaterThan(0);
});

describe.each(found)("kubectl $version", (kubectl: Kubectl) => {
  let server: ServerForKubectl;
  const minor = Number(kubectl.version.split(".")[1]);

  beforeAll(async () => {
    server = await startServer();
  });
  afterAll(async () => {
    await server[Symbol.asyncDispose]();
  });

  const run = (args: string, input?: string): Promise<CommandResult> =>
    server.run(kubectl, words(args), input);
  /** What a command prints that must succeed. */
  const out = async (args: string, input?: string): Promise<string> => {
    const result = await run(args, input);
    expect(result, `kubectl ${args}: ${result.stderr}`).toMatchObject({ code: 0 });
    return result.stdout;
  };
  const json = async (args: string): Promise<Readonly<Record<string, unknown>>> =>
    JSON.parse(await out(`${args} -o json`)) as Readonly<Record<string, unknown>>;

  it("lists every kind with its names, verbs and scope", async () => {
    const table = await out("api-resources -o wide");
    expect(rows(table)).toContainEqual(expect.arrayContaining(["pools", "parasaus.io/v1", "true", "Pool"]));
    expect(table.split("\n").map((line) => line.split(/\s+/)[0])).toEqual(
      expect.arrayContaining([
        "endpoints",
        "namespaces",
        "services",
        "addresspools",
        "nodes",
        "operations",
        "pools",
      ]),
    );
    expect(await out("api-resources --namespaced=false -o name")).not.toContain(
      "pools.parasaus.io\n".padStart(20),
    );
  });

  it("explains a kind from its schema, field by field and as a tree", async () => {
    const spec = await out("explain pool.spec");
    expect(spec).toMatch(/KIND:\s+Pool/);
    expect(spec).toMatch(/scheduler\s+<string>/);
    expect(spec).toMatch(/members\s+<\[\]Object>/);
    const member = await out("explain pool.spec.members");
    expect(member).toMatch(/ip\s+<string> ?-required-/);
    expect(await out("explain pools --recursive")).toMatch(
      /healthCheck\s+<Object>\n(.*\n)*\s+rise\s+<integer>/,
    );
  });

  it("applies the files of the field word for word, and says what Kubernetes does not know in them", async () => {
    const result = await run("apply -f -", FIELD);
    expect(result).toMatchObject({
      code: 0,
      stdout: "service/snake-demo-svc4 created\nendpoints/snake-demo-svc4 created\n",
    });
    expect(result.stderr).toContain("Warning: annotations: unknown to Kubernetes in this place");
    expect(await json("get endpoints snake-demo-svc4")).toMatchObject({
      annotations: { calledSource: "kubectl-client-side-apply", healthCheckType: "http" },
    });
  });

  it("takes over a second apply that changes http to tcp, and leaves the Service alone", async () => {
    const before = await json("get service snake-demo-svc4");
    const applied = await out("apply -f -", FIELD.replace('"http"', '"tcp"'));
    expect(applied).toBe("service/snake-demo-svc4 unchanged\nendpoints/snake-demo-svc4 configured\n");
    expect(await json("get endpoints snake-demo-svc4")).toMatchObject({
      annotations: { calledSource: "kubectl-client-side-apply", healthCheckType: "tcp" },
    });
    expect(await json("get service snake-demo-svc4")).toEqual(before);
  });

  it("prunes what the next apply no longer has: a key, a subset, and the field as a whole", async () => {
    const pruned = FIELD.replace('calledSource: "kubectl-client-side-apply", ', "").replace(
      /- addresses: \[\{ ip: 10\.100\.1\.77.*/s,
      "",
    );
    await out("apply -f -", pruned);
    const endpoints = await json("get endpoints snake-demo-svc4");
    expect(endpoints).toMatchObject({ annotations: { healthCheckType: "http" } });
    expect(endpoints["annotations"]).not.toHaveProperty("calledSource");
    expect(endpoints["subsets"]).toHaveLength(1);
    await out("apply -f -", pruned.replace(/annotations: .*\n/, ""));
    expect(await json("get endpoints snake-demo-svc4")).not.toHaveProperty("annotations");
  });

  it("keeps what others wrote when an apply changes something else", async () => {
    await out(`patch service snake-demo-svc4 --type=merge -p {"spec":{"sessionAffinity":"ClientIP"}}`);
    await out("apply -f -", FIELD.replace("port: 40796,", "port: 40700,"));
    expect(await json("get service snake-demo-svc4")).toMatchObject({
      spec: { sessionAffinity: "ClientIP", ports: [{ port: 40700, nodePort: 40796 }] },
    });
  });

  it("applies a Pool, then a change and a pruned field of it", async () => {
    expect(await out("apply -f -", POOL)).toBe("pool.parasaus.io/web created\n");
    expect(await out("apply -f -", POOL.replace("wrr", "wlc").replace("  drainSeconds: 10\n", ""))).toBe(
      "pool.parasaus.io/web configured\n",
    );
    expect(await json("get pool web")).toMatchObject({ spec: { scheduler: "wlc", drainSeconds: 30 } });
    expect(await out("apply -f -", POOL)).toBe("pool.parasaus.io/web configured\n");
  });

  it("prints tables with our columns, in one namespace and in all, by label and by field", async () => {
    await out("apply -f -", OTHER_POOL);
    const table = rows(await out("get pools"));
    expect(table[0]).toEqual(["NAME", "ADDRESS", "SCHEDULER", "UP", "AGE"]);
    expect(table[2]?.slice(0, 4)).toEqual(["web", "<pending>", "wrr", "0/2"]);
    expect(table[2]?.[4]).toMatch(/^\d+s$/);
    expect(rows(await out("get pools -A"))[1]?.slice(0, 2)).toEqual(["parasaus", "api"]);
    expect(rows(await out("get pools -o wide"))[0]).toEqual(
      expect.arrayContaining([
        "NAME",
        "PROTOCOL",
        "FORWARDING",
        "CHECK",
        "MEMBERS",
        "CONDITION",
        "OPERATOR",
        "OPERATED",
      ]),
    );
    expect(await out("get pools -l app=api -o name")).toBe("pool.parasaus.io/api\n");
    expect(await out("get pools -l app!=api,app -o name")).toBe("pool.parasaus.io/web\n");
    expect(await out("get pools --field-selector metadata.name=web -o name")).toBe("pool.parasaus.io/web\n");
    expect(rows(await out("get pools --show-labels"))[1]?.at(-1)).toBe("app=api");
  });

  it("prints objects as YAML, JSON and by path", async () => {
    expect(await out("get pool web -o yaml")).toMatch(/^apiVersion: parasaus\.io\/v1\nkind: Pool\n/);
    expect(await out("get pool web -o jsonpath={.spec.members[1].weight}")).toBe("3");
    expect(await out("get pools -o jsonpath={.items[*].metadata.name}")).toBe("api web");
    expect(await out("get pools --sort-by=.spec.drainSeconds -o name")).toBe(
      "pool.parasaus.io/web\npool.parasaus.io/api\n",
    );
    expect(rows(await out("get pools -o custom-columns=N:.metadata.name,S:.spec.scheduler"))).toContainEqual([
      "web",
      "wrr",
    ]);
  });

  it("pages through a list", async () => {
    expect(await out("get pools --chunk-size=1 -o name")).toBe(
      "pool.parasaus.io/api\npool.parasaus.io/web\n",
    );
  });

  it("creates a namespace by name, as people do", async () => {
    expect(await out("create namespace front")).toBe("namespace/front created\n");
    expect(rows(await out("get namespaces"))).toContainEqual(expect.arrayContaining(["front", "Active"]));
    expect((await run("create namespace front")).stderr).toMatch(/\(AlreadyExists\).*"front" already exists/);
  });

  it("describes an object, its Service and its Endpoints", async () => {
    expect(await out("describe pool web")).toMatch(
      /^Name:\s+web\n.*Labels:\s+app=web\n.*Scheduler:\s+wrr\n/s,
    );
    expect(await out("describe service snake-demo-svc4")).toMatch(/NodePort:\s+dcmp-svc4\s+40796\/TCP/);
    expect(await out("describe endpoints snake-demo-svc4")).toMatch(/Addresses:\s+10\.100\.1\.53/);
  });

  it("edits an object in the operator's editor", async () => {
    const editor = server.file(
      "editor.sh",
      '#!/bin/sh\nsed -i "s/drainSeconds: 10/drainSeconds: 11/" "$1"\n',
      0o700,
    );
    const result = await server.run(kubectl, ["edit", "pool", "web"], "", { KUBE_EDITOR: editor });
    expect(result).toMatchObject({ code: 0, stdout: "pool.parasaus.io/web edited\n" });
    expect(await out("get pool web -o jsonpath={.spec.drainSeconds}")).toBe("11");
  });

  it("patches in all three ways", async () => {
    await out(`patch pool web --type=json -p [{"op":"add","path":"/spec/members/0/weight","value":7}]`);
    await out(`patch pool web --type=merge -p {"spec":{"onMemberDown":"cut"}}`);
    await out(`patch pool web --type=strategic -p {"spec":{"failOpen":{"threshold":50}}}`);
    expect(await json("get pool web")).toMatchObject({
      spec: { members: [{ weight: 7 }, { weight: 3 }], onMemberDown: "cut", failOpen: { threshold: 50 } },
    });
    await out(`patch service snake-demo-svc4 -p {"spec":{"ports":[{"port":40700,"nodePort":40797}]}}`);
    expect(await json("get service snake-demo-svc4")).toMatchObject({
      spec: { ports: [{ name: "dcmp-svc4", port: 40700, nodePort: 40797 }] },
    });
  });

  it("labels, annotates and replaces", async () => {
    expect(await out("label pool web tier=front")).toMatch(/^pool.parasaus.io\/web labeled/);
    expect(await out("annotate pool web note=checked")).toMatch(/^pool.parasaus.io\/web annotate/);
    const live = await out("get pool web -o json");
    expect(await out("replace -f -", live.replace('"wrr"', '"sh"'))).toBe("pool.parasaus.io/web replaced\n");
    const stale = await run("replace -f -", live);
    expect(stale.code).toBe(1);
    expect(stale.stderr).toMatch(/Error from server \(Conflict\).*the object has been modified/s);
  });

  it("shows changes as they happen with get -w", async () => {
    const lines = server.lines(kubectl, words("get pool web -w"));
    const next = async (): Promise<string[]> => String((await lines.next()).value).split(/\s{2,}/);
    expect(await next()).toEqual(["NAME", "ADDRESS", "SCHEDULER", "UP", "AGE"]);
    expect((await next())[2]).toBe("sh");
    await out(`patch pool web --type=merge -p {"spec":{"scheduler":"lc"}}`);
    expect((await next()).slice(0, 4)).toEqual(["web", "<pending>", "lc", "0/2"]);
    await lines.return(undefined);
  });

  it("waits for a condition that a controller writes, and for none that nobody does", async () => {
    const waiting = run("wait pool/web --for=condition=Allocated --timeout=30s");
    const condition = {
      type: "Allocated",
      status: "True",
      reason: "Allocated",
      message: "ok",
      lastTransitionTime: "2026-01-01T00:00:00Z",
    };
    await server.resources.patch(
      { definition: poolDefinition, namespace: "parasaus", name: "web" },
      { type: "merge", body: { status: { conditions: [condition] } } },
      { operator: "system:allocator", subresource: "status" },
    );
    expect(await waiting).toMatchObject({ code: 0, stdout: "pool.parasaus.io/web condition met\n" });
    const never = await run("wait pool/web --for=condition=Ready --timeout=1s");
    expect(never).toMatchObject({
      code: 1,
      stderr: expect.stringContaining("timed out waiting for the condition"),
    });
  });

  it("does not let an ordinary write touch the status", async () => {
    await out(`patch pool web --type=merge -p {"status":{"conditions":[]}}`);
    expect(await out("get pool web -o jsonpath={.status.conditions[0].type}")).toBe("Allocated");
  });

  it("diffs: nothing to do is 0, a difference is 1 and shows it", async () => {
    await out("apply -f -", POOL);
    expect(await run("diff -f -", POOL)).toMatchObject({ code: 0, stdout: "" });
    const differs = await run("diff -f -", POOL.replace("weight: 3", "weight: 9"));
    expect(differs.code).toBe(1);
    expect(differs.stdout).toMatch(/^-\s+weight: 3\n\+\s+weight: 9$/m);
  });

  it("changes nothing in a dry run on the server, and validates there", async () => {
    const before = await out("get pool web -o yaml");
    expect(await out("apply --dry-run=server -f -", POOL.replace("weight: 3", "weight: 9"))).toContain(
      "(server dry run)",
    );
    expect(await out("delete pool web --dry-run=server")).toContain("(server dry run)");
    expect(await out("get pool web -o yaml")).toBe(before);
    const wrong = await run("apply --dry-run=server -f -", POOL.replace("weight: 3", "weight: 999"));
    expect(wrong).toMatchObject({ code: 1, stderr: expect.stringContaining("spec.members[1].weight") });
  });

  it("shows every wrong field with its path", async () => {
    const wrong = POOL.replace("port: 80 }", "port: 70000 }").replace("weight: 3", "weight: 999");
    const { code, stderr } = await run("apply -f -", wrong);
    expect(code).toBe(1);
    expect(stderr).toContain('The Pool "web" is invalid');
    expect(stderr).toMatch(/\* spec\.members\[0\]\.port: Invalid value: 70000/);
    expect(stderr).toMatch(/\* spec\.members\[1\]\.weight: Invalid value: 999/);
  });

  it("refuses an unknown field by name", async () => {
    const { code, stderr } = await run("apply -f -", POOL.replace("scheduler:", "schedular:"));
    expect(code).toBe(1);
    expect(stderr).toContain('unknown field "');
    expect(stderr).toContain("schedular");
  });

  it("names what is not there, what is there already, and what is read-only", async () => {
    expect((await run("get pool nobody")).stderr).toBe(
      'Error from server (NotFound): pools.parasaus.io "nobody" not found\n',
    );
    expect((await run("create -f -", POOL)).stderr).toMatch(
      /Error from server \(AlreadyExists\).*"web" already exists/,
    );
    const [operation = ""] = (await out("get operations -o name")).split("\n");
    expect((await run(`delete ${operation}`)).stderr).toContain("MethodNotAllowed");
    expect((await run("get pools --field-selector spec.bogus=1")).stderr).toMatch(
      /Error from server \(BadRequest\).*spec\.bogus/,
    );
  });

  it("records who changed what, by the name in the kubeconfig", async () => {
    const table = rows(await out("get operations"));
    expect(table[1]).toEqual(expect.arrayContaining(["alice", "create"]));
    expect(table.filter((row) => row.includes("patch")).length).toBeGreaterThan(5);
  });

  it("says what to type instead of --server-side, and that does what was wanted", async () => {
    const changed = POOL.replace("weight: 3", "weight: 5");
    const before = await out("get pool web -o yaml");
    for (const command of [
      "apply --server-side",
      "apply --server-side --force-conflicts",
      "diff --server-side",
    ]) {
      const { code, stdout, stderr } = await run(`${command} -f -`, changed);
      expect({ code: code > 0, stdout }).toEqual({ code: true, stdout: "" });
      expect(stderr).toContain("run the same kubectl apply or diff without --server-side");
    }
    expect(await out("get pool web -o yaml")).toBe(before);
    expect(await out("apply -f -", changed)).toBe("pool.parasaus.io/web configured\n");
    expect(await out("get pool web -o jsonpath={.spec.members[1].weight}")).toBe("5");
  });

  it.runIf(minor >= 24)("serves subresources, which kubectl knows since 1.24", async () => {
    expect(await out("get pool web --subresource=status -o name")).toBe("pool.parasaus.io/web\n");
  });

  it("deletes by name, by file, by label, and all", async () => {
    expect(await out("delete pool api")).toMatch(/^pool.parasaus.io "api" deleted/);
    expect(await out("delete -f -", FIELD)).toMatch(
      /"snake-demo-svc4" deleted.*\n.*"snake-demo-svc4" deleted/,
    );
    await out("apply -f -", OTHER_POOL);
    expect(await out("delete pools -l app=api")).toMatch(/^pool.parasaus.io "api" deleted/);
    expect(await out("delete pools --all")).toMatch(/^pool.parasaus.io "web" deleted/);
    expect((await run("get pools,svc,ep")).stderr).toMatch(/No resources found/);
  });
});

/** Splits a command line; what is in braces or brackets has no blanks in these tests. */
function words(commandLine: string): string[] {
  return commandLine.split(" ");
}

/** The cells of a table as kubectl prints it. */
function rows(table: string): string[][] {
  return table
    .trimEnd()
    .split("\n")
    .map((line) => line.trim().split(/\s{2,}/));
}
