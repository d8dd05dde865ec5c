export type { AddressPool } from "./address-pool.ts";
export type { EndpointSubset, Endpoints, Namespace, Service, ServicePort } from "./core.ts";
export type { JsonSchema, PrinterColumn, ResourceDefinition } from "./definition.ts";
export type { Node } from "./node.ts";
export type { Condition, KubeObject, ObjectMeta, OwnerReference } from "./object.ts";
export type { Operation } from "./operation.ts";
export type {
  ConnectAddress,
  ForwardingMode,
  HealthCheck,
  MemberAdminState,
  MemberStatus,
  Pool,
  PoolMember,
  PoolSpec,
  PoolStatus,
  Protocol,
  SchedulerName,
  Verdict,
} from "./pool.ts";
