export { findObject } from "./find-object.ts";
export { type FollowOptions, followObjects, type ObjectChange } from "./follow.ts";
export type {
  DeleteOptions,
  ListOptions,
  ObjectList,
  ObjectReference,
  Patch,
  Resources,
  Selection,
  WatchEvent,
  WatchOptions,
  WriteOptions,
} from "./resources.ts";
export { type CompiledSelection, compileSelection } from "./selectors.ts";
export { EPOCH_HEADER, FIRST_EPOCH, isOlder, StaleAnswer, type StorePosition } from "./store-position.ts";
export { textOf } from "./stored-text.ts";
