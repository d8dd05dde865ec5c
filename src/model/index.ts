export {
  type Account,
  type ApiToken,
  isRoleAtLeast,
  ROLES,
  type Role,
  type RoleBinding,
} from "./access/access.ts";
export { accountDefinition } from "./access/account-definition.ts";
export { accountOfToken, apiTokenDefinition } from "./access/api-token-definition.ts";
export { roleBindingDefinition } from "./access/role-binding-definition.ts";
export type { AddressPool, QuarantinedAddress } from "./address-pool/address-pool.ts";
export { addressPoolDefinition } from "./address-pool/definition.ts";
export { HEALTH_CHECK_TYPE_ANNOTATION, KEPT_ANNOTATIONS } from "./annotations.ts";
export { isBadNews } from "./condition.ts";
export type { AccountList, AccountRow, BoundRole, TokenRow } from "./console/account-views.ts";
export type {
  AddressBlock,
  AddressPage,
  AddressPoolList,
  AddressPoolUse,
  AddressRow,
} from "./console/address-views.ts";
export type {
  AilingMember,
  AilingPool,
  DownMember,
  FailingOpenPool,
  FleetFigures,
  HealthReport,
  NodeList,
  NodeRow,
  Overview,
} from "./console/fleet-views.ts";
export type { OperationPage, OperationRow } from "./console/operation-views.ts";
export {
  type MemberProbes,
  type MemberRow,
  type MemberTraffic,
  POOL_SORT_KEYS,
  POOL_STATES,
  type PoolDetail,
  type PoolPage,
  type PoolRow,
  type PoolSortKey,
  type PoolState,
  type ProbeAnswer,
} from "./console/pool-views.ts";
export { type DecodedJson, decodeJson } from "./decode/json.ts";
export { unwrapList } from "./decode/list.ts";
export { type DecodedDocument, type DecodeLimits, decodeYaml } from "./decode/yaml.ts";
export type { JsonSchema, PrinterColumn, ResourceDefinition } from "./definition.ts";
export { apiVersionOf, DEFINITIONS, definitionFor, findDefinition, resourceOf } from "./definitions.ts";
export { formatDurationMs, parseDurationMs } from "./duration.ts";
export { endpointsDefinition } from "./endpoints/definition.ts";
export type { EndpointAddress, EndpointPort, EndpointSubset, Endpoints } from "./endpoints/endpoints.ts";
export { eventDefinition } from "./event/definition.ts";
export type { KubeEvent } from "./event/event.ts";
export { namespaceDefinition } from "./namespace/definition.ts";
export type { Namespace } from "./namespace/namespace.ts";
export { nodeDefinition } from "./node/definition.ts";
export type {
  DriverCounters,
  FlowExplanation,
  FlowTuple,
  MemberCounters,
  MemberDisposition,
} from "./node/forwarding.ts";
export { type HeldShrink, NODE_NUMBER_COUNT, type Node } from "./node/node.ts";
export type {
  AgentStatus,
  ConnectProbe,
  NodeAnswer,
  NodeAnswers,
  NodeRequest,
  NodeRequestKind,
  TimeHistogram,
} from "./node/node-request.ts";
export { isReadyUnknown, withReadyUnknown } from "./node/silence.ts";
export { findTableConflicts, type TableConflict } from "./node/table-conflicts.ts";
export type { Condition, KubeObject, ObjectMeta, OwnerReference } from "./object.ts";
export { operationDefinition } from "./operation/definition.ts";
export { OPERATION_VERBS, type Operation, type OperationVerb } from "./operation/operation.ts";
export type {
  FieldChange,
  FlowFates,
  Plan,
  PlannedMember,
  PlannedMemberState,
  PlannedObject,
  PlannedOutcome,
  PlannedTraffic,
} from "./plan/plan.ts";
export { formatConnectAddress, lastPortOf } from "./pool/connect-address.ts";
export { poolDefinition } from "./pool/definition.ts";
export { familyOfPool } from "./pool/family.ts";
export {
  type HealthCheck,
  type HealthCheckTiming,
  type HealthCheckType,
  healthCheckTiming,
} from "./pool/health-check.ts";
export { type CompleteMember, completeMember } from "./pool/member.ts";
export { FORWARDING_MODES, type ForwardingMode, SCHEDULER_NAMES, type SchedulerName } from "./pool/policy.ts";
export type {
  ConnectAddress,
  LastOperation,
  MemberAdminState,
  MemberStatus,
  Pool,
  PoolMember,
  PoolSpec,
  PoolStatus,
  Protocol,
  Verdict,
} from "./pool/pool.ts";
export { MEMBER_LIMIT } from "./pool/schema.ts";
export { NODE_PORTS } from "./pool/validation.ts";
export { type PortRange, parsePortRange } from "./port-range.ts";
export { conditionsSchema, objectMetaSchema } from "./schema/metadata.ts";
export { PROTOCOLS } from "./schema/vocabulary.ts";
export type { ServersOverview } from "./servers-overview.ts";
export { serviceDefinition } from "./service/definition.ts";
export type { Service, ServicePort, ServiceType } from "./service/service.ts";
export { nameComplaint } from "./validation/names.ts";
export {
  type FieldValidation,
  invalidObject,
  type ValidationResult,
  validateObject,
} from "./validation/validate-object.ts";
