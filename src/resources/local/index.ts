export type { Admission, AdmissionRequest } from "./admission.ts";
export { type BackupSource, exportBackup } from "./backup/export-backup.ts";
export {
  type RestoreOptions,
  type RestoreResult,
  refuseUnfinished,
  restoreBackup,
} from "./backup/restore-backup.ts";
export { ensureBuiltins } from "./builtins.ts";
export {
  EPOCH_KEY,
  type Epoch,
  type EpochRecord,
  ORIGINAL_EPOCH,
  type RestoreRecord,
  readEpoch,
} from "./epoch.ts";
export { type GarbageCollectorOptions, startGarbageCollector } from "./garbage-collector.ts";
export { type StoredObjects, storedObjects } from "./keys.ts";
export { createLocalResources, type LocalResources, type LocalResourcesOptions } from "./local-resources.ts";
export {
  mergeHeartbeats,
  type NodeHeartbeat,
  type NodeHeartbeats,
  readHeartbeats,
  writeHeartbeats,
} from "./node-heartbeats.ts";
export { type OperationTrimmerOptions, startOperationTrimmer } from "./operation-trimmer.ts";
export { MASK, maskedText, ownPart, type RecordedEvent } from "./operations.ts";
export type { TogetherOptions, TogetherWrite } from "./write-together.ts";
