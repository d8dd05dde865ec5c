export { ConnectAddressIndex } from "./allocator/connect-address-index.ts";
export {
  type ConnectAddressLookup,
  type MemberWrite,
  memberAddressAdmission,
} from "./allocator/member-admission.ts";
export { type AddressRanges, readRanges } from "./allocator/ranges.ts";
export type { ProbeLedger, ProbeRecord } from "./circle-healthcheck/probe-ledger.ts";
export {
  type OwnedPaths,
  type OwnedWrite,
  ownedPaths,
  poolOwnershipAdmission,
} from "./circle-watch/ownership.ts";
export type { PoolSources } from "./circle-watch/service-fields.ts";
export { type WriteBack, type WriteBackInput, writeBack } from "./circle-watch/write-back.ts";
export {
  type ForeseenName,
  type Foresight,
  type ForesightRequest,
  foreseeControllers,
} from "./foresight/foresee.ts";
export {
  type Authority,
  type ShardTenure,
  type ShardWorker,
  soleAuthority,
  type Tenure,
} from "./runtime/authority.ts";
export { type ControllerMetrics, type ControllerName, noMetrics } from "./runtime/metrics.ts";
export { type Controllers, type ControllersOptions, startControllers } from "./start-controllers.ts";
