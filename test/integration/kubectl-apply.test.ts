import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Condition, Operation, Pool, Service } from "../../src/model/index.ts";
import { type ControlPlane, openControlPlane } from "./control-plane.ts";
import { FIELD_ENDPOINTS, FIELD_SERVICE } from "./field-files.ts";
import { findKubectls, type Kubectl, type ServerForKubectl, startServer } from "./kubectl.ts";

/** What operators write: much left out, defaults spelled out here and there, and bare numbers for times. */
const FILE = `apiVersion: v1
kind: Namespace
metadata: { name: front, labels: { team: shop } }
---
apiVersion: parasaus.io/v1
kind: AddressPool
metadata: { name: public }
spec: { addresses: [10.9.0.0/28], ports: ["80", 8000-8099] }
---
apiVersion: parasaus.io/v1
kind: Pool
metadata: { name: plain }
spec:
  members:
  - { ip: 10.0.0.1, port: 80 }
  - { ip: 10.0.0.2, port: 80, weight: 3 }
  - { ip: 10.0.0.3, port: 80, weight: 1, state: ready }
  - { ip: 10.0.0.4, port: 80, state: drain, drainSeconds: 5 }
---
apiVersion: parasaus.io/v1
kind: Pool
metadata: { name: full, labels: { app: full }, annotations: { note: mine } }
spec:
  addressPool: public
  port: 8080
  scheduler: wlc
  sessionAffinity: { type: ClientIP }
  failOpen: { threshold: 50 }
  healthCheck: { type: http, interval: 2, timeout: 500ms, downInterval: "5", http: { path: /ready } }
  members: [{ ip: 10.0.0.1, port: 8080 }]
---
apiVersion: parasaus.io/v1
kind: Pool
metadata: { name: datagrams }
spec: { protocol: UDP, members: [] }
---
${FIELD_SERVICE}---
${FIELD_ENDPOINTS}  notReadyAddresses: [{ ip: 10.100.1.78 }]
---
kind: Service
apiVersion: v1
metadata: { name: two-ports }
spec:
  type: LoadBalancer
  ports:
  - { name: http, port: 80 }
  - { name: more, port: 8001, targetPort: 81 }
---
kind: Endpoints
apiVersion: v1
metadata: { name: two-ports, annotations: { parasaus.io/weights: 10.100.2.1=4 } }
subsets:
- addresses: [{ ip: 10.100.2.1 }]
  ports: [{ port: 80, name: http }, { port: 81, name: more }]
`;

const OBJECTS = [
  "namespace/front",
  "addresspool.parasaus.io/public",
  "pool.parasaus.io/plain",
  "pool.parasaus.io/full",
  "pool.parasaus.io/datagrams",
  "service/snake-demo-svc4",
  "endpoints/snake-demo-svc4",
  "service/two-ports",
  "endpoints/two-ports",
];
const told = (word: string): string => OBJECTS.map((object) => `${object} ${word}\n`).join("");

const { found } = findKubectls();

it("finds a kubectl to test with", () => {
  expect(found.length).toBeGreaterThan(0);
});

describe.each(found)("kubectl $version applies what it applied before", (kubectl: Kubectl) => {
  let plane: ControlPlane;
  let server: ServerForKubectl;

  beforeAll(async () => {
    plane = await openControlPlane();
    server = await startServer(plane.resources);
  });
  afterAll(async () => {
    await server[Symbol.asyncDispose]();
    await plane[Symbol.asyncDispose]();
  });

  const run = (args: string, input: string) => server.run(kubectl, args.split(" "), input);
  /** What the controllers write on their own stands in the objects, and they have come to rest. */
  const settled = async (): Promise<void> => {
    for (const name of ["plain", "full", "datagrams", "snake-demo-svc4", "two-ports", "two-ports-more"]) {
      await plane.until<Pool>(
        "Pool",
        `parasaus/${name}`,
        (pool) => has(pool, "Allocated") && has(pool, "Available"),
      );
    }
    await plane.until<Service>(
      "Service",
      "parasaus/two-ports",
      (service) => service?.status?.loadBalancer?.ingress !== undefined,
    );
  };
  /** Controllers leave no Operation: every one is something that kubectl wrote. */
  const writeCount = async (): Promise<number> => (await plane.list<Operation>("Operation")).length;

  it("says unchanged of every kind, finds no difference and writes nothing", async () => {
    expect(await run("apply -f -", FILE)).toMatchObject({ code: 0, stdout: told("created") });
    await settled();
    expect(await writeCount()).toBe(OBJECTS.length);
    expect(await run("diff -f -", FILE)).toMatchObject({ code: 0, stdout: "" });
    expect(await run("apply -f -", FILE)).toMatchObject({ code: 0, stdout: told("unchanged") });
    expect(await writeCount()).toBe(OBJECTS.length);
  });

  it("says configured of what did change, and shows the difference", async () => {
    const changed = FILE.replace("{ ip: 10.0.0.1, port: 80 }", "{ ip: 10.0.0.1, port: 80, weight: 2 }");
    const difference = await run("diff -f -", changed);
    expect(difference.code).toBe(1);
    expect(difference.stdout).toMatch(/^\+\s+weight: 2$/m);
    const applied = await run("apply -f -", changed);
    expect(applied.stdout).toBe(told("unchanged").replace("plain unchanged", "plain configured"));
    expect((await run("apply -f -", FILE)).stdout).toBe(applied.stdout);
  });

  it("finds no difference in objects that were created without kubectl apply", async () => {
    expect((await run("delete --wait=false -f -", FILE)).code).toBe(0);
    for (const name of ["plain", "full", "datagrams"])
      await plane.until("Pool", `parasaus/${name}`, (pool) => pool === undefined);
    await plane.until("Namespace", "front", (namespace) => namespace === undefined);
    expect(await run("create -f -", FILE)).toMatchObject({ code: 0, stdout: told("created") });
    await settled();
    expect(await run("diff -f -", FILE)).toMatchObject({ code: 0, stdout: "" });
  });
});

function has(object: { status?: { conditions?: readonly Condition[] } } | undefined, type: string): boolean {
  return object?.status?.conditions?.some((condition) => condition.type === type) ?? false;
}
