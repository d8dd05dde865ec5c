export {
  type ConnectAddressLookup,
  type MemberWrite,
  memberAddressAdmission,
} from "./allocator/member-admission.ts";
export type { ProbeLedger, ProbeRecord } from "./circle-healthcheck/probe-ledger.ts";
export { type OwnedWrite, poolOwnershipAdmission } from "./circle-watch/ownership.ts";
export { type ControllerMetrics, type ControllerName, noMetrics } from "./runtime/metrics.ts";
export { type Controllers, type ControllersOptions, startControllers } from "./start-controllers.ts";
