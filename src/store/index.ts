export { createDraftStore } from "./draft-store.ts";
export { type Fence, fenceStore } from "./fence-store.ts";
export { type HeldLease, type HeldLeaseOptions, holderOf, holdLease } from "./held-lease.ts";
export type {
  RangeOptions,
  RangeResult,
  Store,
  StoreCondition,
  StoreEntry,
  StoreEvent,
  StoreWatchMessage,
  StoreWrite,
  TransactionResult,
} from "./store.ts";
