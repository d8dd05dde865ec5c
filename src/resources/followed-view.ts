import type { KubeObject } from "../model/index.ts";
import type { WatchEvent } from "./resources.ts";

/** A list or watch that contradicts what was delivered before. */
export class WatchRegression extends Error {}

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
  #needsSnapshot = true;

  /** Whether the next step is to list. */
  get needsSnapshot(): boolean {
    return this.#needsSnapshot;
  }

  /** Newest revision of which anything was delivered, as a decimal string. */
  get revision(): string {
    return this.#newest.toString();
  }

  /** Takes over a list. @throws WatchRegression when it is older than what was delivered before */
  restart(objects: readonly KnownObject[], revision: string): void {
    const listed = BigInt(revision);
    if (listed < this.#newest) {
      throw new WatchRegression(
        `Cannot take over a list at revision ${listed}: ${this.#newest} was delivered. A server that lags catches up; ` +
          "one whose data was restored or replaced does not, then restart this program",
      );
    }
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
    return this.#whole.toString();
  }

  /**
   * Checks an event against everything before it and takes it over.
   *
   * @returns false when it only repeats what was delivered before the stream was resumed
   * @throws WatchRegression when it cannot be true
   */
  admit(event: WatchEvent): boolean {
    if (event.type === "BOOKMARK") {
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

  #advance(revision: bigint): void {
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
