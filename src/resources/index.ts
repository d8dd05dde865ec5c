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
export { FIRST_EPOCH, isOlder, StaleAnswer, type StorePosition } from "./store-position.ts";
