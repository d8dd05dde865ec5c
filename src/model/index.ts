export type { AddressPool } from "./address-pool/address-pool.ts";
export type { EndpointSubset, Endpoints, Namespace, Service, ServicePort } from "./core.ts";
export type { JsonSchema, PrinterColumn, ResourceDefinition } from "./definition.ts";
export { formatDurationMs, parseDurationMs } from "./duration.ts";
export type { Node } from "./node/node.ts";
export type { Condition, KubeObject, ObjectMeta, OwnerReference } from "./object.ts";
export type { Operation } from "./operation/operation.ts";
export {
  type HealthCheck,
  type HealthCheckTiming,
  type HealthCheckType,
  healthCheckTiming,
} from "./pool/health-check.ts";
export type {
  ConnectAddress,
  ForwardingMode,
  MemberAdminState,
  MemberStatus,
  Pool,
  PoolMember,
  PoolSpec,
  PoolStatus,
  Protocol,
  SchedulerName,
  Verdict,
} from "./pool/pool.ts";
