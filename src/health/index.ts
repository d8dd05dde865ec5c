export type { GuardedAddressClass } from "./address-guard.ts";
export { refusalToProbe } from "./address-guard.ts";
export {
  type Probe,
  type ProbeCheck,
  type ProbeEnvironment,
  type ProbeRegistry,
  type ProbeResult,
  type ProbeTarget,
  probeCheckOf,
  type ReasonCode,
  type RunningProbe,
  runProbe,
} from "./probe.ts";
export { PROBES } from "./probes/index.ts";
export {
  createProbeSchedule,
  type ProbeHandle,
  type ProbeSchedule,
  type ProbeScheduleOptions,
  type ProbeSubscriber,
} from "./schedule.ts";
export {
  firstProbeDelayMs,
  type HealthState,
  type HealthThresholds,
  healthAfterCheckChange,
  initialHealth,
  isInDoubt,
  nextIntervalMs,
  type ProbeRound,
  recordRound,
  restoredHealth,
  secondProbeDelayMs,
} from "./state-machine.ts";
