import type { StoreEvent } from "../store.ts";
import type { EtcdEvent, WatchResponse } from "./watch-messages.ts";

/** Everything that happened at one revision. */
export interface Revision {
  readonly revision: number;
  readonly events: readonly StoreEvent[];
}

/**
 * How a stream of revisions shows that it cannot be believed.
 *
 * - `gap`: a revision is missing.
 * - `back`: a revision comes again that was there whole before.
 * - `split`: more of a revision comes after it was there, as it seemed, whole.
 * - `overtaken`: history was compacted before its events were sent: what was there before is missing.
 */
export type StreamFault = "gap" | "back" | "split" | "overtaken";

/** What a message of the stream brought. */
export interface Reading {
  /** Whole revisions, each one above the one before. */
  readonly revisions: readonly Revision[];
  readonly fault?: StreamFault;
  /**
   * The message's first revision, when nothing shows that its deletes are all there: etcd 3.4 forgets the deletes of the
   * very revision that it is compacted to, and a watch that reads on there does not see them (etcd-io/etcd#18089, #19179).
   * Whoever finds, later, that the revision before it can still be read, knows that nothing was missing.
   */
  readonly unproven?: number;
}

/**
 * Puts the messages of a watch over all keys together to whole revisions. Every revision of etcd changes at least one
 * key, so that a stream over all keys has no holes: whatever is missing, repeated or out of order shows by its number.
 */
export class RevisionReader {
  #next: number;
  #open: EtcdEvent[] = [];
  #keysBefore: ReadonlySet<string> = new Set();
  #isContinued = false;

  /** @param next First revision that has not been delivered. */
  constructor(next: number) {
    this.#next = next;
  }

  /** First revision that has not been delivered. */
  get next(): number {
    return this.#next;
  }

  /** Takes the next message. After a fault the stream must be left. */
  read({ events, isFragment }: WatchResponse): Reading {
    const revisions: Revision[] = [];
    const first = this.#isContinued ? undefined : events[0]?.entry.modRevision;
    for (const event of events) {
      const fault = this.#take(event, revisions);
      if (fault) return { revisions, fault };
    }
    this.#isContinued = isFragment;
    if (!isFragment) this.#close(revisions);
    const isProven = events.some(({ entry, previous }) => previous && entry.modRevision === first);
    return { revisions, ...(first === undefined || isProven ? {} : { unproven: first }) };
  }

  #take(event: EtcdEvent, revisions: Revision[]): StreamFault | undefined {
    const { modRevision: revision, key } = event.entry;
    if (this.#open.length > 0 && revision > this.#next) this.#close(revisions);
    if (revision > this.#next) return "gap";
    if (revision < this.#next)
      return revision === this.#next - 1 && !this.#keysBefore.has(key) ? "split" : "back";
    if (this.#open.some((other) => other.entry.key === key)) return "back";
    if (isOvertaken(event)) return "overtaken";
    this.#open.push(event);
    return undefined;
  }

  #close(revisions: Revision[]): void {
    if (this.#open.length === 0) return;
    revisions.push({ revision: this.#next, events: this.#open.map(toStoreEvent) });
    this.#keysBefore = new Set(this.#open.map(({ entry }) => entry.key));
    this.#open = [];
    this.#next += 1;
  }
}

/** etcd looks up previous values when it sends. A key that is deleted was there before, and so was one that is older than its last write. */
function isOvertaken({ isDelete, entry, previous }: EtcdEvent): boolean {
  return !previous && (isDelete || entry.createRevision < entry.modRevision);
}

function toStoreEvent({ isDelete, entry, previous }: EtcdEvent): StoreEvent {
  const before = previous ? { previous } : {};
  return isDelete
    ? { kind: "delete", key: entry.key, revision: entry.modRevision, ...before }
    : { kind: "put", entry, ...before };
}
