import type { KubeObject } from "../model/index.ts";
import type { WatchEvent } from "./resources.ts";
import { FIRST_EPOCH, isOlder, StaleAnswer, type StorePosition } from "./store-position.ts";

/** A watch that contradicts what was delivered before. */
export class WatchRegression extends Error {}

/** A watch of a store that was restored since: what is known of it says nothing of what is in it now. */
export class EpochBegun extends Error {}

/** All that a view remembers of an object. */
export interface KnownObject {
  readonly key: string;
  readonly revision: bigint;
}

/** What a view has to know of a listed object. */
export function knownObject(object: KubeObject): KnownObject {
  return { key: keyOf(object), revision: revisionOf(object) };
}

/** What a follower has been told so far: enough to resume, to skip repetitions and to catch a watch that lies. */
export class FollowedView {
  /** Revision of each object that is known to exist. */
  readonly #known = new Map<string, bigint>();
  /** Newest revision of which anything was delivered. */
  #newest = 0n;
  /** Newest revision that was delivered whole; a transaction may change several objects at one revision. */
  #whole = 0n;
  /** Where the running stream stands. */
  #position = 0n;
  /** Whether the running stream has delivered nothing yet. */
  #isFresh = true;
  #needsSnapshot = true;
  #epoch = FIRST_EPOCH;

  /** @param notBefore What its owner had before: nothing older is taken over. */
  constructor(notBefore?: StorePosition) {
    if (!notBefore) return;
    this.#epoch = notBefore.epoch;
    this.#newest = BigInt(notBefore.revision);
  }

  /** Whether the next step is to list. */
  get needsSnapshot(): boolean {
    return this.#needsSnapshot;
  }

  /** The newest of which anything was delivered. */
  get position(): StorePosition {
    return { epoch: this.#epoch, revision: this.#newest.toString() };
  }

  /** Takes over a list. @throws StaleAnswer when it is older than what was delivered before */
  restart(objects: readonly KnownObject[], listedAt: StorePosition): void {
    if (isOlder(listedAt, this.position)) throw new StaleAnswer("a list", listedAt, this.position);
    const listed = BigInt(listedAt.revision);
    this.#epoch = listedAt.epoch;
    this.#known.clear();
    for (const { key, revision: written } of objects) this.#known.set(key, written);
    this.#newest = listed;
    this.#whole = listed;
    this.#needsSnapshot = false;
  }

  /** Forgets what exists, not how far it got. */
  discard(): void {
    this.#needsSnapshot = true;
  }

  /** Begins a stream. @returns the revision to watch from */
  resume(): string {
    this.#position = this.#whole;
    this.#isFresh = true;
    return this.#whole.toString();
  }

  /**
   * Checks which epoch the running stream is of.
   *
   * @throws StaleAnswer when it is an earlier one, EpochBegun when it is a later one
   */
  enter(epoch: number): void {
    if (epoch < this.#epoch)
      throw new StaleAnswer("a watch", { epoch, revision: this.#whole.toString() }, this.position);
    if (epoch > this.#epoch) throw new EpochBegun(`the store began epoch ${epoch}`);
  }

  /**
   * Checks an event against everything before it and takes it over.
   *
   * @returns false when it only repeats what was delivered before the stream was resumed
   * @throws WatchRegression when it cannot be true, StaleAnswer when the server has not got there yet
   */
  admit(event: WatchEvent): boolean {
    if (event.type === "BOOKMARK") {
      this.#refuseLagging(event.resourceVersion);
      this.#advance(BigInt(event.resourceVersion));
      this.#whole = this.#position;
      if (this.#position > this.#newest) this.#newest = this.#position;
      return false;
    }
    const revision = revisionOf(event.object);
    const isRepetition = revision <= this.#newest && this.#isKnown(event, revision);
    this.#advance(revision);
    if (isRepetition) return false;
    this.#take(event.type, event.object, revision);
    return true;
  }

  /** Whoever stands before the revision that was asked for has nothing to deliver, and nothing is missing. */
  #refuseLagging(revision: string): void {
    if (!this.#isFresh || BigInt(revision) >= this.#position) return;
    throw new StaleAnswer("a watch", { epoch: this.#epoch, revision }, this.position);
  }

  #advance(revision: bigint): void {
    this.#isFresh = false;
    if (revision < this.#position) {
      throw new WatchRegression(
        `Cannot go back to revision ${revision}: the watch stands at ${this.#position}`,
      );
    }
    if (revision > this.#position && this.#position > this.#whole) this.#whole = this.#position;
    this.#position = revision;
  }

  #isKnown(event: Exclude<WatchEvent, { type: "BOOKMARK" }>, revision: bigint): boolean {
    const known = this.#known.get(keyOf(event.object));
    return event.type === "DELETED" ? known === undefined : known !== undefined && known >= revision;
  }

  #take(type: "ADDED" | "MODIFIED" | "DELETED", object: KubeObject, revision: bigint): void {
    const key = keyOf(object);
    const exists = this.#known.has(key);
    if (exists !== (type !== "ADDED")) {
      throw new WatchRegression(
        `Cannot take over ${type} of "${key}" at revision ${revision}: an event before it is missing`,
      );
    }
    if (type === "DELETED") this.#known.delete(key);
    else this.#known.set(key, revision);
    if (revision > this.#newest) this.#newest = revision;
  }
}

function keyOf(object: KubeObject): string {
  return `${object.metadata.namespace ?? ""}/${object.metadata.name}`;
}

function revisionOf(object: KubeObject): bigint {
  return BigInt(object.metadata.resourceVersion ?? "0");
}
