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
