export type { Admission, AdmissionRequest } from "./admission.ts";
export { ensureBuiltins } from "./builtins.ts";
export { type GarbageCollectorOptions, startGarbageCollector } from "./garbage-collector.ts";
export { createLocalResources, type LocalResourcesOptions } from "./local-resources.ts";
