export { type FollowOptions, followObjects, type ObjectChange } from "./follow.ts";
export {
  createNodeTransport,
  type NodeTransport,
  type NodeTransportOptions,
} from "./remote/node-transport.ts";
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
