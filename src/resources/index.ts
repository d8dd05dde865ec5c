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
