import type { Driver } from "../dataplane/index.ts";
import type { AgentStatus } from "../model/index.ts";
import type { ObjectChange, StorePosition } from "../resources/index.ts";
import type { AgentOptions } from "./agent-options.ts";
import { createCpuShare } from "./cpu-share.ts";
import { type DesiredEntry, DesiredState, type TranslatedPool } from "./desired-state.ts";
import { createExclusive, type Exclusive } from "./exclusive.ts";
import { Hearing } from "./hearing.ts";
import { Reconciler } from "./reconciler.ts";
import { ShrinkGuard } from "./shrink-guard.ts";
import { type SnapshotFile, snapshotFileIn } from "./snapshot-file.ts";
import { Succession } from "./succession.ts";
import { successionFileIn } from "./succession-file.ts";
import { createTimeRecorder } from "./time-histogram.ts";
import { createWakeup } from "./wakeup.ts";

/** What the agent's loops share: the desired state, the reconciler, and everything that is counted. */
export class AgentCore {
  readonly desired: DesiredState;
  readonly reconciler: Reconciler;
  readonly snapshotFile: SnapshotFile;
  readonly hearing: Hearing;
  readonly guard: ShrinkGuard<DesiredEntry>;
  /** The driver before, until the last of its flows has ended. */
  #succession: Succession | undefined;
  /** Rung when there is something to reconcile. */
  readonly work = createWakeup();
  readonly #options: AgentOptions;
  readonly #exclusive = createExclusive();
  /** Apart from changes, which must not wait for a walk through a million flows. */
  readonly #maintaining = createExclusive();
  readonly #changeToKernel = createTimeRecorder();
  readonly #reconcileTimes = createTimeRecorder();
  readonly #cpuShare: () => number | undefined;
  #flowEntryCount: number | undefined;
  readonly #counts = { cut: 0, expired: 0, loadDrift: 0 };
  #source: AgentStatus["source"] = "none";
  #applied: StorePosition | undefined;
  /** The table hash at a position that the kernel holds whole: in between, it holds some of each. */
  #table: { readonly revision: string; readonly hash: string } | undefined;
  /** Work that failed the last time, and why. */
  readonly #troubles = new Map<string, string>();
  /** Changes that arrived, and how many of them the kernel holds. */
  #arrivedCount = 0;
  #appliedCount = 0;
  /** When the oldest change arrived that no reconcile has begun with. */
  #oldestChangeMs: number | undefined;
  #snapshotTime: string | undefined;
  #hasUnsavedChange = false;

  constructor(options: AgentOptions) {
    this.#options = options;
    this.#cpuShare = createCpuShare(options.clock);
    this.guard = new ShrinkGuard(options.clock, options.logger);
    this.desired = new DesiredState({
      logger: options.logger,
      guard: this.guard,
      held: (uid) => this.reconciler.held(uid),
      onTouched: (uid) => this.#markDirty([uid]),
    });
    this.reconciler = new Reconciler({
      driver: options.driver,
      desired: this.desired,
      logger: options.logger,
    });
    this.#succession = successionFor(options, this.desired);
    this.snapshotFile = snapshotFileIn(options.snapshotDirectory);
    this.hearing = new Hearing(options.clock, options.logger, this.snapshotFile.path);
  }

  get source(): AgentStatus["source"] {
    return this.#source;
  }

  /** Why the last work on the kernel failed; absent when it did not. */
  get trouble(): string | undefined {
    return [...this.#troubles.values()][0];
  }

  get appliedRevision(): string | undefined {
    return this.#applied?.revision;
  }

  /** The driver before, while it is not gone. */
  get succession(): Succession | undefined {
    return this.#succession;
  }

  /** Asks the driver; changes do not wait for the answer. */
  ask<T>(question: (driver: Driver) => Promise<T>): Promise<T> {
    return question(this.#options.driver);
  }

  /** What `*` stands for from now on. */
  async setNodeAddresses(addresses: readonly string[]): Promise<void> {
    await this.#options.driver.setNodeAddresses(addresses);
    await this.#succession?.setNodeAddresses(addresses);
  }

  /** Learns what the kernel holds and what was wanted last; a snapshot that cannot be trusted changes nothing. */
  async start(): Promise<void> {
    await this.#exclusive(() => this.reconciler.adopt());
    await this.#adoptPredecessor();
    const isRestored = await this.#restore();
    for (const uid of this.reconciler.heldUids) {
      const pool = this.reconciler.held(uid);
      if (pool) this.desired.adopt(pool);
    }
    for (const pool of this.#succession?.heldPools() ?? []) this.desired.adopt(pool);
    if (!isRestored) return;
    this.#source = "snapshot";
    this.#options.logger.info("started from the snapshot", { ...this.desired.position });
    this.#replanEverything();
    await this.reconcile();
  }

  async #adoptPredecessor(): Promise<void> {
    const { snapshotDirectory } = this.#options;
    if (this.#succession) await this.#exclusive(async () => this.#succession?.adopt());
    else await successionFileIn(snapshotDirectory).remove();
  }

  async #restore(): Promise<boolean> {
    const { logger, nodeName } = this.#options;
    try {
      const snapshot = await this.snapshotFile.read(nodeName);
      if (!snapshot) return false;
      const { entries, epoch, revision, storeUid, shrink } = snapshot;
      this.desired.restore(entries, { epoch, revision }, shrink);
      this.hearing.remember(storeUid);
      return true;
    } catch (error) {
      logger.error("snapshot refused, the kernel stays as it is", { path: this.snapshotFile.path, error });
      return false;
    }
  }

  /**
   * Takes over everything the server has.
   *
   * @param storeUid Which store that is, where it is known.
   * @throws ParasausError `Conflict` when it is another store, or older than what this node already had
   */
  takeAll(pools: readonly TranslatedPool[], listed: StorePosition, storeUid?: string): void {
    this.hearing.accept(listed, this.desired.position, storeUid);
    this.desired.replaceAll(pools, listed);
    this.#source = "server";
    this.#replanEverything();
    this.#noteChange();
  }

  /** Takes over one change. */
  takeChange({ type, object }: ObjectChange): void {
    const { uid = "", deletionTimestamp } = object.metadata;
    if (type !== "DELETED" || deletionTimestamp !== undefined)
      this.desired.put(this.desired.translate(object));
    if (type === "DELETED") this.desired.remove(uid);
    this.desired.advanceTo(object.metadata.resourceVersion ?? "0");
    this.#markDirty([uid]);
    this.#noteChange();
  }

  /** The server says that everything up to `revision` was delivered. */
  takeProgress(revision: string): void {
    this.hearing.noteHeard();
    this.desired.advanceTo(revision);
    if (this.#appliedCount === this.#arrivedCount) this.#noteWhole();
  }

  /** An operator lets the pools go that are held under this id; another id changes nothing. */
  confirmShrink(id: string): void {
    const uids = this.desired.confirmShrink(id);
    if (uids.length === 0) return;
    this.#markDirty(uids);
    this.#hasUnsavedChange = true;
    this.work.ring();
  }

  /** Brings the kernel to what is wanted, as far as something has changed or is due. */
  reconcile(): Promise<void> {
    return this.#guarded("reconcile", this.#exclusive, async () => {
      const { clock } = this.#options;
      const arrivedCount = this.#arrivedCount;
      const { position } = this.desired;
      const changedMs = this.#oldestChangeMs;
      this.#oldestChangeMs = undefined;
      const startMs = clock.monotonicMs();
      try {
        await this.#reconcilePredecessor();
        await this.reconciler.reconcile();
      } catch (failure) {
        this.#oldestChangeMs = changedMs;
        throw failure;
      }
      const endMs = clock.monotonicMs();
      if (changedMs !== undefined) {
        this.#reconcileTimes.record(endMs - startMs);
        this.#changeToKernel.record(endMs - changedMs);
      }
      this.#appliedCount = arrivedCount;
      this.#applied = position;
      if (arrivedCount === this.#arrivedCount) this.#noteWhole();
      if (position) await this.#succession?.handOver(this.reconciler.refusals);
    });
  }

  /** First, because the successor forgets pools that it has not. What fails holds nothing up: the flows there go on. */
  async #reconcilePredecessor(): Promise<void> {
    try {
      await this.#succession?.reconcile();
    } catch (error) {
      this.#options.logger.error("the driver before is not as wanted", { error });
    }
  }

  /** Compares the kernel with what was programmed, and repairs. */
  checkDrift(): Promise<void> {
    return this.#guarded("drift check", this.#exclusive, async () => {
      await this.reconciler.checkDrift();
      await this.#succession?.checkDrift();
    });
  }

  /** Lets the driver clean up, then drops what is past its deadline. */
  async maintain(): Promise<void> {
    await this.#guarded("maintenance", this.#maintaining, async () => {
      const report = await this.#options.driver.maintain();
      this.#counts.cut += report.cutCount;
      this.#counts.expired += report.expiredCount;
      this.#counts.loadDrift += report.loadDriftCount ?? 0;
      this.#flowEntryCount = report.flowEntryCount ?? this.#flowEntryCount;
    });
    await this.#maintainPredecessor();
    await this.reconcile();
  }

  async #maintainPredecessor(): Promise<void> {
    const succession = this.#succession;
    if (!succession) return;
    await this.#guarded("maintenance of the driver before", this.#maintaining, async () => {
      const why = await succession.maintain();
      if (why !== undefined) await this.#exclusive(() => this.#endSuccession(succession, why));
    });
  }

  async #endSuccession(succession: Succession, why: string): Promise<void> {
    await succession.end(why);
    this.#succession = undefined;
    this.#options.driver.standAlone?.();
  }

  /** Writes the snapshot file when something has changed since. @returns whether it did */
  async saveSnapshot(): Promise<boolean> {
    const { position } = this.desired;
    if (!this.#hasUnsavedChange || !position) return false;
    this.#hasUnsavedChange = false;
    const { nodeName, version } = this.#options;
    const { storeUid } = this.hearing;
    const { shrink } = this.guard;
    const header = {
      nodeName,
      agentVersion: version,
      ...(storeUid === undefined ? {} : { storeUid }),
      ...position,
      ...(shrink ? { shrink: { since: shrink.since, ofPoolCount: shrink.ofPoolCount } } : {}),
    };
    try {
      await this.snapshotFile.write(header, this.desired.entries());
    } catch (failure) {
      this.#hasUnsavedChange = true;
      throw failure;
    }
    this.#snapshotTime = this.#options.clock.now().toISOString();
    return true;
  }

  status(): AgentStatus {
    const { nodeName, driver, version } = this.#options;
    const { ageMs, refusedCount } = this.hearing;
    const cpuPercent = this.#cpuShare();
    return {
      nodeName,
      driver: driver.name,
      version,
      source: this.#source,
      ...(this.#applied ? { epoch: this.#applied.epoch, appliedRevision: this.#applied.revision } : {}),
      tableHash: this.#table?.hash ?? this.reconciler.tableHash,
      ...(this.#table ? { tableRevision: this.#table.revision } : {}),
      poolCount: this.reconciler.poolCount,
      ...(ageMs === undefined ? {} : { watchAgeMs: ageMs }),
      ...(this.#flowEntryCount === undefined ? {} : { flowEntryCount: this.#flowEntryCount }),
      ...(cpuPercent === undefined ? {} : { cpuPercent }),
      refusedAnswerCount: refusedCount,
      heldPoolCount: this.guard.shrink?.poolCount ?? 0,
      changeToKernel: this.#changeToKernel.read(),
      reconcile: this.#reconcileTimes.read(),
      driftCount: this.reconciler.driftCount,
      refusedPoolCount: this.reconciler.refusals.length,
      unreadablePoolCount: this.desired.unreadableCount,
      operationCount: this.reconciler.operationCount,
      cutFlowCount: this.#counts.cut,
      expiredFlowCount: this.#counts.expired,
      loadDriftCount: this.#counts.loadDrift,
      ...(this.#snapshotTime === undefined ? {} : { snapshotTime: this.#snapshotTime }),
    };
  }

  /** Everything that has arrived is in the kernel. */
  #noteWhole(): void {
    const { position } = this.desired;
    this.#applied = position;
    if (position) this.#table = { revision: position.revision, hash: this.reconciler.tableHash };
  }

  #replanEverything(): void {
    this.#markDirty(this.desired.uids);
    this.reconciler.markHeldDirty();
    this.#succession?.markHeldDirty();
  }

  /** To be planned at the next reconcile. */
  #markDirty(uids: Iterable<string>): void {
    const all = [...uids];
    this.reconciler.markDirty(all);
    this.#succession?.markDirty(all);
  }

  #noteChange(): void {
    this.hearing.noteHeard();
    this.#oldestChangeMs ??= this.#options.clock.monotonicMs();
    this.#arrivedCount += 1;
    this.#hasUnsavedChange = true;
    this.work.ring();
  }

  /** Work on the kernel that fails is tried again by the next round; until then the Node says why. */
  async #guarded(name: string, queue: Exclusive, task: () => Promise<void>): Promise<void> {
    try {
      await queue(task);
      this.#troubles.delete(name);
    } catch (error) {
      const message = error instanceof Error ? error.message : String(error);
      // Said once: it is tried again every second.
      const isNews = this.#troubles.get(name) !== message;
      this.#troubles.set(name, message);
      if (isNews)
        this.#options.logger.error("work on the kernel failed, trying again", { work: name, error });
    }
  }
}

function successionFor(options: AgentOptions, desired: DesiredState): Succession | undefined {
  const {
    predecessor,
    driver,
    driverDrainSeconds = 0,
    snapshotDirectory: directory,
    clock,
    logger,
  } = options;
  if (!predecessor) return undefined;
  const common = { desired, drainSeconds: driverDrainSeconds, directory, clock, logger };
  return new Succession({ ...common, predecessor, successor: driver.name });
}
