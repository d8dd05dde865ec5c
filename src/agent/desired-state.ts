import { type DesiredPool, desiredPoolOf, type ProgrammedPool } from "../dataplane/index.ts";
import type { Logger } from "../foundation/index.ts";
import type { KubeObject, Pool } from "../model/index.ts";
import { isOlder, type StorePosition } from "../resources/index.ts";
import { carryDrains } from "./carry-drains.ts";

/** One pool as the agent wants it, and what the next translation of it has to know. */
export interface DesiredEntry {
  readonly desired: DesiredPool;
  readonly isFailingOpen: boolean;
}

/** A pool as it was read from the API. */
export interface TranslatedPool {
  readonly uid: string;
  /** Absent when the object cannot be understood. */
  readonly entry?: DesiredEntry;
}

/**
 * What this node shall hold, by pool uid, at one position; nothing of an object is kept but what forwarding needs.
 * A pool that is gone stays as an entry without addresses until the kernel holds nothing of it: it knows how long to drain.
 */
export class DesiredState {
  readonly #entries = new Map<string, DesiredEntry>();
  readonly #unreadable = new Set<string>();
  readonly #logger: Logger;
  #position: StorePosition | undefined;

  readonly #held: (uid: string) => ProgrammedPool | undefined;

  /** @param held What the kernel holds of a pool. */
  constructor(logger: Logger, held: (uid: string) => ProgrammedPool | undefined) {
    this.#logger = logger;
    this.#held = held;
  }

  /** Where in the store's history this is true; undefined = nothing is known yet, and nothing may be withdrawn. */
  get position(): StorePosition | undefined {
    return this.#position;
  }

  get uids(): IterableIterator<string> {
    return this.#entries.keys();
  }

  get entries(): IterableIterator<DesiredEntry> {
    return this.#entries.values();
  }

  get unreadableCount(): number {
    return this.#unreadable.size;
  }

  get(uid: string): DesiredPool | undefined {
    return this.#entries.get(uid)?.desired;
  }

  /** Whether the pool exists and nothing is known of it, because its object cannot be understood. */
  isUnknown(uid: string): boolean {
    return this.#unreadable.has(uid) && !this.#entries.has(uid);
  }

  /** Takes over what a snapshot file holds. */
  restore(entries: readonly DesiredEntry[], position: StorePosition): void {
    this.#entries.clear();
    for (const entry of entries) this.#entries.set(entry.desired.uid, entry);
    this.#position = position;
  }

  /** Reads a pool without taking it over; one that cannot be understood has no entry. */
  translate(object: KubeObject): TranslatedPool {
    const uid = object.metadata.uid ?? "";
    try {
      const before = this.#entries.get(uid);
      const { desired, isFailingOpen } = desiredPoolOf(object as Pool, before?.isFailingOpen);
      return {
        uid,
        entry: { desired: carryDrains(before?.desired, desired, this.#held(uid)), isFailingOpen },
      };
    } catch (error) {
      const { namespace, name } = object.metadata;
      this.#logger.error("pool cannot be understood, its last good state stays", { namespace, name, error });
      return { uid };
    }
  }

  /** Takes over everything there is; pools that are not in it are gone. */
  replaceAll(pools: readonly TranslatedPool[], position: StorePosition): void {
    const listed = new Set(pools.map((pool) => pool.uid));
    for (const pool of pools) this.put(pool);
    for (const uid of this.#entries.keys()) if (!listed.has(uid)) this.remove(uid);
    for (const uid of this.#unreadable) if (!listed.has(uid)) this.#unreadable.delete(uid);
    this.#position = position;
  }

  /** Takes over one pool; one that cannot be understood keeps its last good state. */
  put({ uid, entry }: TranslatedPool): void {
    if (entry) this.#entries.set(uid, entry);
    if (entry) this.#unreadable.delete(uid);
    else this.#unreadable.add(uid);
  }

  /** The pool is gone: nothing is wanted of it any more, but its drain time is remembered. */
  remove(uid: string): void {
    this.#unreadable.delete(uid);
    const entry = this.#entries.get(uid);
    if (!entry) return;
    this.#entries.set(uid, {
      isFailingOpen: false,
      desired: { ...entry.desired, addresses: [], members: [] },
    });
  }

  /** Forgets a pool that is gone, once the kernel has nothing of it. */
  forgetIfGone(uid: string): void {
    const desired = this.get(uid);
    if (desired?.addresses.length === 0 && desired.members.length === 0) this.#entries.delete(uid);
  }

  /** Everything up to this revision of the epoch has been taken over. */
  advanceTo(revision: string): void {
    if (!this.#position) return;
    const position = { ...this.#position, revision };
    if (isOlder(this.#position, position)) this.#position = position;
  }
}
