import type { ResourceDefinition } from "../definition.ts";
import type { KubeObject } from "../object.ts";
import { fillDefaults } from "../schema/defaults.ts";
import { poolColumns } from "./columns.ts";
import type { HealthCheck } from "./health-check.ts";
import type { Pool, PoolStatus } from "./pool.ts";
import { poolSchema } from "./schema.ts";
import { poolErrors, poolWarnings } from "./validation.ts";

const HTTP_DEFAULTS = { method: "GET", path: "/", expect: ["200-399"] } as const;

function withDefaults(object: KubeObject): KubeObject {
  const pool = fillDefaults(poolSchema, object) as Pool;
  const healthCheck = healthCheckDefaults(pool.spec.healthCheck, pool.spec.protocol);
  const status = pool.status ? { status: withoutProbes(pool.status) } : {};
  const filled: Pool = { ...pool, spec: { ...pool.spec, healthCheck }, ...status };
  return filled;
}

/** What the API joins when it is read must not come back with a write. */
function withoutProbes(status: PoolStatus): PoolStatus {
  if (!status.members?.some(({ probes }) => probes)) return status;
  return { ...status, members: status.members.map(({ probes, ...member }) => member) };
}

/** UDP gives no sign of life that a generic probe could ask for, and nothing here speaks SCTP: the default there is none. */
function healthCheckDefaults(check: HealthCheck, protocol: Pool["spec"]["protocol"]): HealthCheck {
  const type = check.type ?? (protocol === "TCP" ? "tcp" : "none");
  const asksHttp = type === "http" || type === "https";
  return {
    ...check,
    type,
    ...(asksHttp && !check.http ? { http: HTTP_DEFAULTS } : {}),
  };
}

/** Pools: `parasaus.io/v1`, namespaced. */
export const poolDefinition: ResourceDefinition = {
  group: "parasaus.io",
  version: "v1",
  kind: "Pool",
  plural: "pools",
  singular: "pool",
  shortNames: [],
  categories: ["all", "parasaus"],
  namespaced: true,
  writable: true,
  hasStatus: true,
  schema: poolSchema,
  selectableFields: ["spec.addressPool", "spec.ip", "spec.port", "spec.protocol", "spec.scheduler"],
  columns: poolColumns,
  applyDefaults: withDefaults,
  validate: poolErrors,
  warn: poolWarnings,
};
