import type { Logger } from "../../foundation/index.ts";
import type { LocalRoutes, Masquerade, PortMarks } from "../../linux/index.ts";
import type { SchedulerName } from "../../model/index.ts";
import type { OperationFailure, PoolOperation, ProgrammedPool } from "../driver.ts";
import { placeKey } from "../order.ts";
import { nextDeadlineMs } from "../plan.ts";
import { differenceIn, placeOf, stepsFor } from "./commands.ts";
import { KernelView } from "./kernel-view.ts";
import { KernelWriter, type Work } from "./kernel-writer.ts";
import { MarkedRanges } from "./marked-ranges.ts";
import { MasqueradedServices } from "./masqueraded-services.ts";
import { observePools } from "./observe.ts";
import { OwnRoutes } from "./own-routes.ts";
import { type PoolEntry, Programme, parsePlace, rangesOf } from "./programme.ts";
import { isRange, markOf, type RangeAddress } from "./ranges.ts";
import type { OwnershipRecord, RecordLine } from "./record.ts";
import type { CommandFailure, ServiceTable } from "./table.ts";

/** Services programmed before anything else gets its turn. */
const SLICE_COUNT = 64;

/** Schedulers that pick by a hash of addresses. */
const HASHING: ReadonlySet<SchedulerName> = new Set(["sh", "mh", "dh"]);

/** What a programmer works with. */
export interface ProgrammerOptions {
  readonly table: ServiceTable;
  readonly record: OwnershipRecord;
  readonly routes: LocalRoutes;
  /** One of each family. */
  readonly masquerades: readonly Masquerade[];
  readonly marks: PortMarks;
  readonly logger: Logger;
  /** CLOCK_MONOTONIC, milliseconds. */
  readonly nowMs: () => number;
  /** Services of others that pools may take over as they are, by `placeKey`; asked when a pool wants one. */
  readonly mayTakeOver: () => ReadonlySet<string>;
}

/** Brings the kernel's table to what operations want, service by service, and keeps the record of what is ours. */
export class Programmer {
  readonly programme = new Programme();
  readonly #options: ProgrammerOptions;
  readonly #view: KernelView;
  readonly #writer: KernelWriter;
  /** When each pool has something to end next, milliseconds of CLOCK_MONOTONIC. */
  readonly #deadlines = new Map<string, number>();
  readonly #routes: OwnRoutes;
  readonly #masqueraded: readonly MasqueradedServices[];
  readonly #marked: MarkedRanges;
  /** What was observed, as long as nothing has changed since. */
  #observed: readonly ProgrammedPool[] | undefined;

  constructor(options: ProgrammerOptions) {
    this.#options = options;
    this.#view = new KernelView(
      options.table,
      options.nowMs,
      (place) => this.#isOurs(place),
      rangesOf(this.programme),
    );
    this.#writer = new KernelWriter(options.table, this.#view);
    this.#routes = new OwnRoutes(
      options.routes,
      (ip) => this.#view.held.hasIp(ip) && !this.programme.nodeAddresses.includes(ip),
    );
    const isWanted = (place: string) => this.programme.ownerOf(place)?.pool.forwarding === "fullnat";
    this.#masqueraded = options.masquerades.map((each) => new MasqueradedServices(each, isWanted));
    this.#marked = new MarkedRanges(options.marks, () => this.#rangesInUse(), options.logger);
    const { entries, nodeAddresses, leaving } = options.record.recorded;
    for (const place of leaving) this.programme.ranges.note(parsePlace(place));
    this.programme.setNodeAddresses(nodeAddresses);
    for (const [uid, entry] of entries) this.#set(uid, entry);
  }

  /** Services that Parasaus did not make, as last read, in words. */
  get foreignServices(): readonly string[] {
    return this.#view.foreignServices;
  }

  /** Whether a pool picks members by hash, so that another node would pick the same. */
  get hasHashing(): boolean {
    for (const { pool } of this.programme.entries.values()) if (HASHING.has(pool.scheduler)) return true;
    return false;
  }

  /** Whether members of a pool see the node's address. */
  get hasMasquerading(): boolean {
    for (const { pool } of this.programme.entries.values()) if (pool.forwarding === "fullnat") return true;
    return false;
  }

  /** Whether a pool has an address of IPv6. */
  get hasIpv6(): boolean {
    for (const { pool } of this.programme.entries.values())
      if (pool.addresses.some(({ ip }) => ip.includes(":"))) return true;
    return false;
  }

  /**
   * Reads what has changed in the kernel since it was read last, by whomever. What was being deleted when an earlier
   * process died is deleted now.
   */
  async observe(): Promise<readonly ProgrammedPool[]> {
    await this.#learnChanges();
    // What has a deadline changes with time alone.
    if (this.#deadlines.size > 0) this.#observed = undefined;
    this.#observed ??= observePools(this.programme, this.#view.held, this.#options.nowMs());
    return this.#observed;
  }

  /** Reads the kernel once after the start. */
  async learnOnce(): Promise<void> {
    if (!this.#view.isKnown) await this.#learn();
  }

  /** Applies all operations as one change; a pool that is refused stays as it was. */
  async apply(operations: readonly PoolOperation[]): Promise<readonly OperationFailure[]> {
    await this.learnOnce();
    const uids = new Set(operations.map((each) => (each.kind === "remove" ? each.uid : each.pool.uid)));
    const before = new Map([...uids].map((uid) => [uid, this.programme.entries.get(uid)]));
    const concerned = new Set(this.programme.change(operations));
    const refusals = new Map<string, OperationFailure>();
    const failures = await this.#attempt(concerned, before, refusals);
    if (failures.length === 0) return [...refusals.values()];
    // Somebody has changed the table meanwhile, or the kernel cannot do it.
    for (const place of this.#takeOutForeign(concerned, before, refusals)) concerned.add(place);
    await this.#learn();
    for (const { command, code, message } of await this.#attempt(concerned, before, refusals)) {
      const pools = this.programme.poolsAt(placeOf(command)).filter(({ uid }) => uids.has(uid));
      for (const { uid } of pools) if (!refusals.has(uid)) refusals.set(uid, { uid, code, message });
      if (pools.length === 0) this.#options.logger.error("service not programmed", { reason: message });
    }
    await this.#bring(this.#restore(refusals.keys(), before), refusals.keys());
    return [...refusals.values()];
  }

  async #attempt(
    concerned: Set<string>,
    before: ReadonlyMap<string, PoolEntry | undefined>,
    refusals: Map<string, OperationFailure>,
  ): Promise<readonly CommandFailure[]> {
    for (const place of this.#takeOutForeign(concerned, before, refusals)) concerned.add(place);
    return await this.#bring(concerned, before.keys());
  }

  /** Pools that want an address at which somebody else's service is stay as they were. @returns the services concerned */
  #takeOutForeign(
    concerned: ReadonlySet<string>,
    before: ReadonlyMap<string, PoolEntry | undefined>,
    refusals: Map<string, OperationFailure>,
  ): ReadonlySet<string> {
    const refused = this.#refuseForeign(concerned);
    for (const [uid, refusal] of refused) refusals.set(uid, refusal);
    return this.#restore(refused.keys(), before);
  }

  /** Replaces what `*` stands for. */
  async setNodeAddresses(addresses: readonly string[]): Promise<void> {
    if (addresses.join() === this.programme.nodeAddresses.join()) return;
    await this.learnOnce();
    const before = this.programme.nodeAddresses;
    const concerned = this.programme.setNodeAddresses(addresses);
    this.#observed = undefined;
    this.#options.record.append([{ nodeAddresses: addresses }]);
    for (const { message } of await this.#bring(concerned, [])) {
      this.#options.logger.error("service not programmed", { reason: message });
    }
    this.#routes.bring([...before, ...addresses]);
  }

  /** Ends what is past its deadline. @returns how many open connections were cut since the last call */
  async endDue(): Promise<number> {
    const nowMs = this.#options.nowMs();
    const due = [...this.#deadlines].flatMap(([uid, deadlineMs]) => (deadlineMs <= nowMs ? [uid] : []));
    if (due.length > 0) {
      await this.learnOnce();
      const places = new Set(due.flatMap((uid) => this.programme.placesOf(uid)));
      for (const { message } of await this.#bring(places, [])) {
        this.#options.logger.error("service not ended", { reason: message });
      }
      for (const uid of due) this.#schedule(uid, nowMs);
    }
    return this.#writer.takeCutCount();
  }

  async #learnChanges(): Promise<void> {
    const reading = this.#view.readChanges();
    if (reading !== "nothing") this.#observed = undefined;
    await this.#repairBeside(reading === "whole");
  }

  async #learn(): Promise<void> {
    this.#view.readAll();
    this.#observed = undefined;
    await this.#repairBeside(true);
  }

  /** Repairs what else the services need. @param always Also where the kernel has not told of a change. */
  async #repairBeside(always: boolean): Promise<void> {
    this.#routes.learn(always, () => this.#view.held.ips);
    for (const each of this.#masqueraded) each.learn(always, () => this.#view.held.keys());
    this.#marked.learn(always);
    await this.#finishLeaving();
  }

  /** Ranges of ports that take new flows and have their service. */
  #rangesInUse(): readonly RangeAddress[] {
    return [...this.programme.ranges.all()].filter((range) => {
      const place = placeKey(range);
      const address = this.programme.ownerOf(place)?.address;
      return address && address.closingDeadlineMs === undefined && this.#view.held.has(place);
    });
  }

  /** Deletes what was being deleted when an earlier process died, or when the kernel refused. */
  async #finishLeaving(): Promise<void> {
    const { leaving } = this.#options.record.recorded;
    const unfinished = [...leaving].filter((place) => !this.programme.ownerOf(place));
    if (unfinished.length > 0) await this.#bring(new Set(unfinished), []);
  }

  #isOurs(place: string): boolean {
    return this.#options.record.recorded.leaving.has(place) || this.programme.ownerOf(place) !== undefined;
  }

  /** Pools that want an address at which somebody else's service is. */
  #refuseForeign(concerned: ReadonlySet<string>): Map<string, OperationFailure> {
    const refusals = new Map<string, OperationFailure>();
    for (const place of concerned) {
      const uid = this.programme.ownerOf(place)?.pool.uid;
      if (uid === undefined) continue;
      const why = this.#whyTaken(place);
      if (why === undefined) continue;
      refusals.set(uid, { uid, code: "KernelError", message: `Cannot program pool "${uid}": ${why}` });
    }
    return refusals;
  }

  /** Why a pool cannot have its service there; undefined when it can. */
  #whyTaken(place: string): string | undefined {
    const address = parsePlace(place);
    const rival = this.programme.ranges.rivalOf(address);
    if (rival)
      return `${place} has by chance the same mark as ${placeKey(rival)}; choose another spec.lastPort`;
    if (!this.#view.isForeign(place)) return undefined;
    const difference = this.#options.mayTakeOver().has(place) ? this.#takeOver(place) : undefined;
    if (difference === "") return undefined;
    const but = difference === undefined ? "" : `; it may be taken over, but ${difference}`;
    const where = isRange(address) ? `mark ${markOf(address)}, which is that of ${place},` : place;
    return `IPVS has a service at ${where} that Parasaus did not make${but}`;
  }

  /** Takes over somebody else's service that is exactly as the pool wants it. @returns how it differs; empty when not */
  #takeOver(place: string): string {
    const service = this.#view.readService(place);
    if (!service) return "";
    const difference = differenceIn(stepsFor(service, this.programme.service(place, this.#options.nowMs())));
    if (difference !== "") return difference;
    this.#view.takeOver(place, service);
    this.#routes.bring([ipOf(place)]);
    this.#options.logger.info("service of somebody else taken over as it is", { service: place });
    return "";
  }

  /** Pools as they were before. @returns the services concerned */
  #restore(uids: Iterable<string>, before: ReadonlyMap<string, PoolEntry | undefined>): Set<string> {
    const concerned = new Set<string>();
    for (const uid of uids) {
      for (const place of this.programme.placesOf(uid)) concerned.add(place);
      this.programme.set(uid, before.get(uid));
      this.#observed = undefined;
      for (const place of this.programme.placesOf(uid)) concerned.add(place);
    }
    return concerned;
  }

  /** Brings services to what the programme wants. The record knows before the kernel does what is ours. */
  async #bring(places: ReadonlySet<string>, uids: Iterable<string>): Promise<readonly CommandFailure[]> {
    const { record, nowMs } = this.#options;
    const now = nowMs();
    const work = [...places].flatMap((place): Work[] => {
      const wanted = this.programme.service(place, now);
      const steps = stepsFor(this.#view.held.get(place), wanted);
      return steps ? [{ place, wanted, steps }] : [];
    });
    const leaving = work.flatMap(({ place, wanted }) => (wanted ? [] : [place]));
    const lines: RecordLine[] = [...uids].map((uid) => this.#set(uid, this.programme.entries.get(uid)));
    record.append(leaving.length > 0 ? [...lines, { leaving }] : lines);
    if (work.length > 0) this.#observed = undefined;
    const failures = await this.#executeAll(work, places);
    const left = leaving.filter((place) => !this.#view.held.has(place));
    if (left.length > 0) record.append([{ left }]);
    this.#routes.bring(work.map(({ place }) => ipOf(place)));
    return failures;
  }

  async #executeAll(work: readonly Work[], places: ReadonlySet<string>): Promise<readonly CommandFailure[]> {
    const failures: CommandFailure[] = [];
    try {
      for (const each of this.#masqueraded) each.widen(places);
      for (let at = 0; at < work.length; at += SLICE_COUNT) {
        if (at > 0) await new Promise((resolve) => setImmediate(resolve));
        failures.push(...this.#writer.execute(work.slice(at, at + SLICE_COUNT)));
      }
      this.#marked.bring();
      for (const each of this.#masqueraded) each.narrow(places);
    } catch (failure) {
      // Nobody knows what was carried out.
      this.#view.forget();
      throw failure;
    }
    return failures;
  }

  #set(uid: string, entry: PoolEntry | undefined): RecordLine {
    this.programme.set(uid, entry);
    this.#observed = undefined;
    this.#schedule(uid, 0);
    return { uid, entry: entry ?? null };
  }

  #schedule(uid: string, afterMs: number): void {
    const pool = this.programme.entries.get(uid)?.pool;
    const deadlineMs = pool && nextDeadlineMs(pool, afterMs);
    if (deadlineMs === undefined) this.#deadlines.delete(uid);
    else this.#deadlines.set(uid, deadlineMs);
  }
}

function ipOf(place: string): string {
  return parsePlace(place).ip;
}
