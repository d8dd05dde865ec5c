/** How far a store's history was followed. Epochs count restores: a new one may begin at any revision. */
export interface StorePosition {
  /** 1 or more. */
  readonly epoch: number;
  /** Revision within the epoch, a decimal string. */
  readonly revision: string;
}

/** Sent with every answer about objects: how often the server's store was restored, counted from 1. */
export const EPOCH_HEADER = "parasaus-epoch";
/** The epoch of a store that nothing was restored into, and of a server that names none. */
export const FIRST_EPOCH = 1;

/** An answer that is older than what was delivered before: of a server that lags, or of a store that was put back. */
export class StaleAnswer extends Error {
  readonly reason: "OlderEpoch" | "OlderRevision";

  /** @param what What was answered: `a list`, `a watch`. */
  constructor(what: string, answered: StorePosition, known: StorePosition) {
    super(
      `Cannot take over ${what} ${describe(answered)}: ${describe(known)} was delivered before. A server that lags ` +
        "catches up; a store that was restored needs a higher epoch",
    );
    this.reason = answered.epoch < known.epoch ? "OlderEpoch" : "OlderRevision";
  }
}

/** Whether `a` is before `b`; a higher epoch is later than everything in a lower one. */
export function isOlder(a: StorePosition, b: StorePosition): boolean {
  return a.epoch === b.epoch ? BigInt(a.revision) < BigInt(b.revision) : a.epoch < b.epoch;
}

function describe({ epoch, revision }: StorePosition): string {
  return `of epoch ${epoch} at revision ${revision}`;
}
