export { type WatchCacheOptions, withWatchCache } from "./cached-store.ts";
export type { WatchCacheEvent } from "./feed.ts";
