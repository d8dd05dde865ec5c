export type { Admission, AdmissionRequest } from "./admission.ts";
export { ensureBuiltins } from "./builtins.ts";
export { type GarbageCollectorOptions, startGarbageCollector } from "./garbage-collector.ts";
export { createLocalResources, type LocalResources, type LocalResourcesOptions } from "./local-resources.ts";
export { type OperationTrimmerOptions, startOperationTrimmer } from "./operation-trimmer.ts";
