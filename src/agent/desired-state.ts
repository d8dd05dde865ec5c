import {
  bareAddress,
  type DesiredPool,
  desiredPoolOf,
  flowPolicyOf,
  type ProgrammedPool,
  placeKey,
} from "../dataplane/index.ts";
import type { Logger } from "../foundation/index.ts";
import type { ConnectAddress, KubeObject, Pool } from "../model/index.ts";
import { isOlder, type StorePosition } from "../resources/index.ts";
import { carryDrains } from "./carry-drains.ts";
import type { KeptShrink, ShrinkGuard } from "./shrink-guard.ts";

/** For pools that only the kernel knows, seconds: the default of a Pool. */
const ADOPTED_DRAIN_SECONDS = 30;

/** One pool as the agent wants it, and what the next translation of it has to know. */
export interface DesiredEntry {
  readonly desired: DesiredPool;
  readonly isFailingOpen: boolean;
}

/** The same as a snapshot file keeps it. */
export interface KeptEntry extends DesiredEntry {
  /** The server no longer has the pool, and nobody was seen to delete it. */
  readonly isHeld?: true;
}

/** A pool as it was read from the API. */
export interface TranslatedPool {
  readonly uid: string;
  /** Absent when the object cannot be understood. */
  readonly entry?: DesiredEntry;
  /** Marked for deletion, as every pool is that somebody deletes through the API. */
  readonly isDeleted?: true;
}

/** What a desired state works with. */
export interface DesiredStateOptions {
  readonly logger: Logger;
  readonly guard: ShrinkGuard<DesiredEntry>;
  /** What the kernel holds of a pool. */
  readonly held: (uid: string) => ProgrammedPool | undefined;
  /** Told of pools that change because of others: one that is brought back, one that gives its address up. */
  readonly onTouched: (uid: string) => void;
}

/**
 * What this node shall hold, by pool uid, at one position; nothing of an object is kept but what forwarding needs.
 * A pool that is gone stays as an entry without addresses until the kernel holds nothing of it: it knows how long to drain.
 * One that goes without a word stays as it is when the guard says so.
 */
export class DesiredState {
  readonly #options: DesiredStateOptions;
  readonly #entries = new Map<string, DesiredEntry>();
  readonly #unreadable = new Set<string>();
  /** Connect addresses of pools that are held, and whose they are; may name some that are held no more. */
  readonly #heldAddresses = new Map<string, string>();
  /** Pools with a connect address. */
  #servingCount = 0;
  #position: StorePosition | undefined;

  constructor(options: DesiredStateOptions) {
    this.#options = options;
  }

  /** Where in the store's history this is true; undefined = nothing is known yet, and nothing may be withdrawn. */
  get position(): StorePosition | undefined {
    return this.#position;
  }

  get uids(): IterableIterator<string> {
    return this.#entries.keys();
  }

  /** Of every pool, and whether its withdrawal is held. */
  *entries(): Generator<KeptEntry> {
    const { guard } = this.#options;
    for (const [uid, entry] of this.#entries) yield guard.holds(uid) ? { ...entry, isHeld: true } : entry;
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
  restore(entries: readonly KeptEntry[], position: StorePosition, shrink: KeptShrink | undefined): void {
    for (const { desired, isFailingOpen } of entries) this.#set(desired.uid, { desired, isFailingOpen });
    const held = shrink ? entries.filter(({ isHeld }) => isHeld) : [];
    for (const entry of held) this.#noteHeld(entry.desired.uid, entry);
    if (shrink && held.length > 0) {
      const uids = held.map(({ desired }) => desired.uid);
      this.#options.guard.restore(uids, shrink);
    }
    this.#position = position;
  }

  /**
   * Takes what the kernel serves and nothing else tells of for what is wanted, until a server says otherwise: the snapshot
   * may be lost, or a moment older than the kernel.
   */
  adopt(pool: ProgrammedPool): void {
    const { uid, addresses, members } = pool;
    const open = addresses.filter(({ closingDeadlineMs }) => closingDeadlineMs === undefined);
    if (this.#entries.has(uid) || open.length === 0) return;
    const kept = members.filter(({ disposition }) => disposition !== "draining");
    const desired = {
      uid,
      ...flowPolicyOf(pool),
      addresses: open.map(bareAddress),
      drainSeconds: ADOPTED_DRAIN_SECONDS,
      members: kept.map((member) => ({ ...member, drainSeconds: ADOPTED_DRAIN_SECONDS })),
    };
    this.#set(uid, { desired, isFailingOpen: false });
  }

  /** Reads a pool without taking it over; one that cannot be understood has no entry. */
  translate(object: KubeObject): TranslatedPool {
    const { uid = "", deletionTimestamp } = object.metadata;
    const deleted = deletionTimestamp === undefined ? {} : { isDeleted: true as const };
    try {
      const before = this.#entries.get(uid);
      const { desired, isFailingOpen } = desiredPoolOf(object as Pool, before?.isFailingOpen);
      const carried = carryDrains(before?.desired, desired, this.#options.held(uid));
      return { uid, entry: { desired: carried, isFailingOpen }, ...deleted };
    } catch (error) {
      const { namespace, name } = object.metadata;
      const facts = { namespace, name, error };
      this.#options.logger.error("pool cannot be understood, its last good state stays", facts);
      return { uid, ...deleted };
    }
  }

  /** Takes over everything there is; pools that are not in it are gone, unless they are held. */
  replaceAll(pools: readonly TranslatedPool[], position: StorePosition): void {
    const listed = new Set(pools.map((pool) => pool.uid));
    const mute = pools.filter((pool) => this.#goesWithoutWord(pool));
    const muteUids = new Set(mute.map(({ uid }) => uid));
    for (const pool of pools) if (!muteUids.has(pool.uid)) this.#take(pool);
    const missing = [...this.#entries.keys()].filter((uid) => !listed.has(uid)).map((uid) => ({ uid }));
    this.#withdraw([...mute, ...missing]);
    for (const { uid, entry } of pools) if (!muteUids.has(uid)) this.#freeFromHeld(uid, entry);
    for (const uid of this.#unreadable) if (!listed.has(uid)) this.#unreadable.delete(uid);
    this.#position = position;
  }

  /** Takes over one pool; one that cannot be understood keeps its last good state. */
  put(pool: TranslatedPool): void {
    if (this.#goesWithoutWord(pool)) this.#withdraw([pool]);
    else this.#take(pool);
  }

  /** The pool is gone: nothing is wanted of it any more, but its drain time is remembered; unless it is held. */
  remove(uid: string): void {
    this.#unreadable.delete(uid);
    this.#withdraw([{ uid }]);
  }

  /** An operator lets those go that are held under this id. @returns them, none when it is another id */
  confirmShrink(id: string): readonly string[] {
    const uids = this.#options.guard.confirm(id);
    for (const uid of uids) this.#empty(uid);
    return uids;
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

  /** Whoever deletes a pool, or takes its last address away, does so in a way that can be seen. */
  #goesWithoutWord({ uid, entry, isDeleted }: TranslatedPool): boolean {
    return entry !== undefined && isDeleted === undefined && !serves(entry) && serves(this.#entries.get(uid));
  }

  #take({ uid, entry, isDeleted }: TranslatedPool): void {
    this.#options.guard.release(uid);
    if (entry) {
      this.#unreadable.delete(uid);
      this.#set(uid, entry);
      this.#freeFromHeld(uid, entry);
    } else if (isDeleted) this.#empty(uid);
    else this.#unreadable.add(uid);
  }

  /** A pool that is held must not keep an address that the server has given to another one. */
  #freeFromHeld(uid: string, entry: DesiredEntry | undefined): void {
    const { guard, onTouched } = this.#options;
    if (this.#heldAddresses.size === 0) return;
    if (!guard.shrink) this.#heldAddresses.clear();
    for (const address of entry?.desired.addresses ?? []) {
      const holder = this.#heldAddresses.get(placeKey(address));
      if (holder === undefined || holder === uid || !guard.holds(holder)) continue;
      this.#takeAddress(holder, address);
      onTouched(holder);
    }
  }

  #takeAddress(uid: string, address: ConnectAddress): void {
    const entry = this.#entries.get(uid);
    if (!entry) return;
    const addresses = entry.desired.addresses.filter((each) => placeKey(each) !== placeKey(address));
    this.#set(uid, { ...entry, desired: { ...entry.desired, addresses } });
    if (addresses.length > 0) return;
    this.#options.guard.release(uid);
    this.#empty(uid);
  }

  /** Lets pools go that nobody was seen to delete, as far as the guard lets them. */
  #withdraw(pools: readonly TranslatedPool[]): void {
    const leaving = this.#leaving(pools);
    if (leaving.size > 0) this.#judge(leaving);
    for (const { uid, entry } of pools) {
      if (this.#options.guard.holds(uid)) continue;
      if (entry) this.#set(uid, entry);
      else this.#empty(uid);
    }
  }

  /** Those of them that serve until now, and are not held yet. */
  #leaving(pools: readonly TranslatedPool[]): ReadonlyMap<string, DesiredEntry> {
    const leaving = new Map<string, DesiredEntry>();
    for (const { uid } of pools) {
      const entry = this.#entries.get(uid);
      if (entry && serves(entry) && !this.#options.guard.holds(uid)) leaving.set(uid, entry);
    }
    return leaving;
  }

  #judge(leaving: ReadonlyMap<string, DesiredEntry>): void {
    const { guard, onTouched } = this.#options;
    const { mayGo, back } = guard.judge(leaving, this.#servingCount);
    if (mayGo) return;
    for (const [uid, entry] of back) {
      this.#set(uid, entry);
      onTouched(uid);
    }
    for (const [uid, entry] of [...leaving, ...back]) this.#noteHeld(uid, entry);
  }

  #noteHeld(uid: string, { desired }: DesiredEntry): void {
    for (const address of desired.addresses) this.#heldAddresses.set(placeKey(address), uid);
  }

  #empty(uid: string): void {
    const entry = this.#entries.get(uid);
    if (!entry) return;
    this.#set(uid, { isFailingOpen: false, desired: { ...entry.desired, addresses: [], members: [] } });
  }

  #set(uid: string, entry: DesiredEntry): void {
    const before = this.#entries.get(uid);
    this.#servingCount += Number(serves(entry)) - Number(before !== undefined && serves(before));
    this.#entries.set(uid, entry);
  }
}

function serves(entry: DesiredEntry | undefined): boolean {
  return entry !== undefined && entry.desired.addresses.length > 0;
}
