export { desiredPoolOf, type PoolTranslation } from "./desired.ts";
export type {
  DesiredMember,
  DesiredPool,
  Driver,
  DriverCapabilities,
  DriverCounters,
  FlowExplanation,
  FlowPolicy,
  FlowTuple,
  MaintenanceReport,
  MemberCounters,
  MemberDisposition,
  OperationFailure,
  PoolOperation,
  Predecessor,
  ProgrammedAddress,
  ProgrammedMember,
  ProgrammedPool,
} from "./driver.ts";
export { flowPolicyOf } from "./flow-policy.ts";
export { bareAddress, comparePlaces, placeKey } from "./order.ts";
export { isSamePool, nextDeadlineMs, planOperations } from "./plan.ts";
export { formatTableHash, poolDigest, replaceDigest, tableHash } from "./table-hash.ts";
