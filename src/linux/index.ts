export {
  attachTcFilter,
  attachToCgroup,
  type BpfLink,
  detachTcFilter,
  openPinnedLink,
  queryTcFilter,
  replaceLinkProgram,
  type TcDirection,
  type TcPlace,
} from "./bpf-attach.ts";
export {
  type BpfMap,
  openPinnedMap,
  UPDATE_CREATE,
  UPDATE_REPLACE,
} from "./bpf-map.ts";
export type { MapBatch } from "./bpf-map-walk.ts";
export { type LoadedObject, type LoadedProgram, type LoadOptions, loadBpfObject } from "./bpf-object.ts";
export {
  type BpfProgram,
  openPinnedProgram,
  pinObject,
  programNameOf,
  type TestRunResult,
  testRun,
} from "./bpf-program.ts";
export { errnoOf } from "./kernel-error.ts";
