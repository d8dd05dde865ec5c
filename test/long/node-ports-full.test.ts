import { expect, it } from "vitest";
import { systemClock } from "../../src/foundation/index.ts";
import { type AddressPool, DEFINITIONS, type KubeObject, type Pool } from "../../src/model/index.ts";
import { type ControlPlane, openControlPlane } from "../integration/control-plane.ts";

const CAPACITY = 35_000;
const WRITERS = 64;

it(`gives ${CAPACITY} pools an address of node-ports each, and tells the next one why it gets none`, async () => {
  await using plane = await openControlPlane();
  const startMs = performance.now();
  await createPools(plane, CAPACITY);
  const pools = await waitForAddresses(plane, CAPACITY);
  const ports = new Set(pools.map((pool) => pool.status?.connectAddresses?.[0]?.port));
  expect([ports.size, Math.min(...numbers(ports)), Math.max(...numbers(ports))]).toEqual([
    CAPACITY,
    30_000,
    64_999,
  ]);
  process.stdout.write(
    `${ports.size} pools, ${ports.size} addresses in ${((performance.now() - startMs) / 1_000).toFixed(1)} s\n`,
  );

  await plane.apply(poolNamed("one-too-many"));
  const refused = await plane.until<Pool>("Pool", "default/one-too-many", isDecided);
  expect(refused?.status?.connectAddresses ?? []).toEqual([]);
  expect(refused?.status?.conditions?.find((each) => each.type === "Allocated")).toMatchObject({
    status: "False",
    reason: "AddressPoolExhausted",
    message:
      'address pool "node-ports" is exhausted: 35000 of 35000 connect addresses are in use and 0 are kept back',
  });
  const isCounted = (pool: AddressPool | undefined) => pool?.status?.used === CAPACITY;
  await plane.until<AddressPool>("AddressPool", "node-ports", isCounted, 60_000);
});

const numbers = (ports: ReadonlySet<number | undefined>) => [...ports].map(Number);

function poolNamed(name: string): KubeObject & { readonly spec: unknown } {
  return {
    apiVersion: "parasaus.io/v1",
    kind: "Pool",
    metadata: { name, namespace: "default" },
    spec: { healthCheck: { type: "none" }, members: [{ ip: "10.9.0.1", port: 80 }] },
  } as KubeObject & { readonly spec: unknown };
}

function isDecided(pool: Pool | undefined): boolean {
  return pool?.status?.conditions?.some((each) => each.type === "Allocated") ?? false;
}

async function createPools(plane: ControlPlane, count: number): Promise<void> {
  const definition = DEFINITIONS.find((each) => each.kind === "Pool");
  if (!definition) throw new Error("there is no kind Pool");
  let next = 0;
  const write = async () => {
    while (next < count) {
      const name = `p${next++}`;
      await plane.resources.create(definition, poolNamed(name), { operator: "alice" });
    }
  };
  await Promise.all(Array.from({ length: WRITERS }, write));
}

async function waitForAddresses(plane: ControlPlane, count: number): Promise<Pool[]> {
  const deadlineMs = performance.now() + 120_000;
  for (;;) {
    const pools = (await plane.list<Pool>("Pool")).filter(
      (pool) => pool.status?.connectAddresses?.length === 1,
    );
    if (pools.length === count) return pools;
    if (performance.now() > deadlineMs) throw new Error(`${pools.length} of ${count} pools have an address`);
    await systemClock.sleep(1_000);
  }
}
