/** Where a watch is; it outlives its streams. */
export interface WatchState {
  readonly prefix: string;
  /** First revision that has not been delivered. */
  next: number;
  /** Lowest revision whose deletes may be missing until the revision before it has been found readable. */
  unproven: number | undefined;
}

/** Why a stream was left. */
export interface StreamEnd {
  readonly reason: string;
  /** It was wrong; else it only broke. */
  readonly isDoubt: boolean;
}
