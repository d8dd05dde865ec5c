import type { Pool } from "../../src/model/index.ts";
import { waitUntil } from "./product.ts";
import type { Fleet, FleetServer } from "./server-fleet.ts";

const POOLS = "/apis/parasaus.io/v1/namespaces/default/pools";

/** The pools of namespace `default`, as a server tells them. */
export async function listPools(server: FleetServer): Promise<readonly Pool[]> {
  return ((await server.call("GET", POOLS)).body as { items: Pool[] }).items;
}

/** Creates an object; throws the API's answer when it refuses. */
export async function createObject(server: FleetServer, route: string, object: object): Promise<void> {
  const { status, body } = await server.call("POST", route, object);
  if (status !== 201) throw new Error(`${status}: ${JSON.stringify(body)}`);
}

/** A Pool of namespace `default`. */
export function poolObject(name: string, spec: object): object {
  const metadata = { name, namespace: "default" };
  return { apiVersion: "parasaus.io/v1", kind: "Pool", metadata, spec };
}

/** What `addresses` of `registry-watch.ts` answers. */
export interface AddressReport {
  readonly grantedCount: number;
  readonly held: Readonly<Record<string, string>>;
  readonly doubles: readonly string[];
}

/**
 * Deletes every pool on an address pool, and takes all of its addresses: none that nobody holds may be missing.
 *
 * @param count Addresses that the address pool has.
 * @throws Error when one cannot be had
 */
export async function auditAddresses(
  { registry }: Fleet,
  server: FleetServer,
  addressPool: string,
  count: number,
): Promise<AddressReport> {
  const taken = async () => (await listPools(server)).filter(({ spec }) => spec.addressPool === addressPool);
  const evidence = () => server.log();
  const deleteAll = async () => {
    for (const { metadata } of await taken()) await server.call("DELETE", `${POOLS}/${metadata.name}`);
    await waitUntil("every pool is gone", async () => (await taken()).length === 0, evidence);
  };
  await deleteAll();
  for (let index = 0; index < count; index += 1)
    await createObject(server, POOLS, poolObject(`full${index}`, { addressPool, drainSeconds: 0 }));
  const ports = async () =>
    (await taken()).flatMap(({ status }) => status?.connectAddresses?.[0]?.port ?? []);
  await waitUntil("every address is taken", async () => new Set(await ports()).size === count, evidence);
  await deleteAll();
  return (await registry.call("addresses")) as AddressReport;
}
