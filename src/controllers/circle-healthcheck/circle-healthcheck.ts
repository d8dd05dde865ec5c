import { backoffMs } from "../../foundation/index.ts";
import {
  createProbeSchedule,
  firstProbeDelayMs,
  type ProbeResult,
  type ProbeSchedule,
  type ProbeTarget,
  secondProbeDelayMs,
} from "../../health/index.ts";
import { type Pool, poolDefinition } from "../../model/index.ts";
import type { Authority, ShardTenure, ShardWorker } from "../runtime/authority.ts";
import { changeObject } from "../runtime/change-object.ts";
import type { ControllerEnvironment } from "../runtime/environment.ts";
import { type Hooks, openHooks } from "../runtime/hooks.ts";
import { keyOf, type ObjectView, type ViewChange } from "../runtime/object-view.ts";
import { createWorkQueue, type WorkQueue } from "../runtime/work-queue.ts";
import { FleetWatch } from "./fleet-watch.ts";
import { HeldShards } from "./held-shards.ts";
import { LatenessWatch } from "./lateness-watch.ts";
import { learnAll } from "./learn-all.ts";
import {
  follow,
  isKnown,
  isProbed,
  judge,
  type MonitoredMember,
  memberKey,
  newMember,
  nextProbeMs,
  statusOf,
  targetOf,
} from "./member-monitor.ts";
import { withHealth } from "./pool-health.ts";
import { type ProbeLedger, WritableProbeLedger } from "./probe-ledger.ts";
import { WriteAllowance } from "./write-allowance.ts";

const WRITE = { operator: "system:circle-healthcheck", subresource: "status" } as const;
/** While members wait for their very first result, the results of the others are gathered for this long. */
const FIRST_ROUND_GATHERING_MS = 250;
const PARALLEL_COUNT = 256;
const CATCH_UP_RETRY = { baseMs: 100, maxMs: 2_000 };

/** What circle-healthcheck needs besides what every controller needs. */
export interface HealthcheckOptions {
  /** Says which pools are this process's. */
  readonly authority: Authority;
  /** Probes once; must settle by itself and never reject. */
  readonly probe: (target: ProbeTarget) => Promise<ProbeResult>;
}

/** The running controller, for those who ask about probes. */
export interface CircleHealthcheck {
  readonly probeLedger: ProbeLedger;
  /** Probes one member out of turn. @returns undefined when there is no such member, or it is not probed */
  probeNow(poolKey: string, member: string): Promise<ProbeResult> | undefined;
  /** Whether verdicts are frozen because most of the fleet failed at once. */
  isFrozen(): boolean;
  /** Resolves when the controller has stopped. */
  readonly ended: Promise<void>;
}

/** Probes the members of the pools that are this process's, and writes their verdicts, until the signal aborts. */
export function startCircleHealthcheck(
  environment: ControllerEnvironment,
  options: HealthcheckOptions,
): CircleHealthcheck {
  const controller = new Controller(environment, options);
  return {
    probeLedger: controller.ledger,
    probeNow: (poolKey, member) => controller.probeNow(poolKey, member),
    isFrozen: () => controller.isFrozen,
    ended: controller.run(),
  };
}

interface MonitoredPool {
  readonly uid: string;
  readonly key: string;
  readonly tenure: ShardTenure;
  readonly members: Map<string, MonitoredMember>;
  readonly writes: WriteAllowance;
  /** What is being written about it. */
  publishing: Promise<void>;
}

class Controller implements ShardWorker {
  readonly ledger = new WritableProbeLedger();
  isFrozen = false;
  readonly #environment: ControllerEnvironment;
  readonly #hooks: Hooks;
  readonly #schedule: ProbeSchedule;
  readonly #fleet = new FleetWatch();
  readonly #lateness = new LatenessWatch();
  readonly #pools = new Map<string, MonitoredPool>();
  readonly #targetUsers = new Map<string, number>();
  readonly #queue: WorkQueue;
  readonly #authority: Authority;
  readonly #shards = new HeldShards({
    catchUp: (resourceVersion) => this.#catchUp(resourceVersion),
    onSettled: (tenures) => this.#takeUp(tenures),
  });
  #view: ObjectView<Pool> | undefined;

  constructor(environment: ControllerEnvironment, options: HealthcheckOptions) {
    const { clock, logger, signal, random, metrics } = environment;
    this.#environment = environment;
    this.#authority = options.authority;
    this.#hooks = openHooks("circle-healthcheck", environment);
    this.#schedule = createProbeSchedule({
      clock,
      probe: options.probe,
      onProbed: ({ check }, { code, durationMs }, latenessMs) => {
        metrics.probed(check.type, code, durationMs, latenessMs);
        this.#watchLateness(latenessMs);
      },
    });
    this.#queue = createWorkQueue({
      reconcile: (key) => this.#publish(key),
      parallelCount: PARALLEL_COUNT,
      clock,
      logger,
      signal,
      random,
      onDone: (_key, durationMs, succeeded) =>
        metrics.reconciled("circle-healthcheck", durationMs, succeeded),
    });
  }

  async run(): Promise<void> {
    const { signal } = this.#environment;
    const pools = this.#hooks.follow<Pool>(poolDefinition, (change) => this.#onPool(change));
    this.#view = pools.view;
    const probing = this.#schedule.run(signal);
    await pools.synced;
    await Promise.all([pools.ended, probing, this.#authority.share("healthcheck", this, signal)]);
    await this.#queue.drained();
  }

  begin(tenure: ShardTenure): void {
    this.#shards.add(tenure);
  }

  async end(shard: number, isLost: boolean): Promise<void> {
    const tenure = this.#shards.remove(shard);
    const pools = [...this.#pools.values()].filter((pool) => pool.tenure === tenure);
    for (const { members } of pools) for (const member of members.values()) this.#stopProbing(member);
    // Whoever comes next goes on from what is stored.
    if (!isLost) await Promise.all(pools.map((pool) => this.#publishLast(pool)));
    for (const { key } of pools) this.#forget(key);
    this.#checkFreeze();
  }

  #takeUp(tenures: ReadonlySet<ShardTenure>): void {
    for (const pool of this.#view?.values() ?? []) {
      const tenure = this.#tenureOf(keyOf(pool));
      const isTaken = tenure !== undefined && tenures.has(tenure);
      if (isTaken && pool.metadata.deletionTimestamp === undefined) this.#adopt(keyOf(pool), pool);
    }
  }

  async #catchUp(resourceVersion: string): Promise<boolean> {
    const { resources, clock, random, logger, signal } = this.#environment;
    const view = this.#view;
    for (let attempt = 0; view && BigInt(view.resourceVersion) < BigInt(resourceVersion); attempt += 1) {
      if (signal.aborted) return false;
      try {
        await learnAll(resources, poolDefinition, view);
        return true;
      } catch (error) {
        logger.warn("pools not read, their shards wait", { attempt, error });
        await clock.sleep(backoffMs(attempt, { ...CATCH_UP_RETRY, random }), signal).catch(() => undefined);
      }
    }
    return true;
  }

  /** The right to work on a pool, if this process has it now. */
  #tenureOf(key: string): ShardTenure | undefined {
    return this.#shards.tenureOf(this.#authority.shardOf(key));
  }

  probeNow(poolKey: string, member: string): Promise<ProbeResult> | undefined {
    const monitored = this.#pools.get(poolKey)?.members.get(member);
    const probing = monitored?.probing;
    if (!monitored || !probing) return undefined;
    return new Promise((resolve) => {
      monitored.awaiting.push(resolve);
      probing.handle.probeNow();
    });
  }

  #onPool({ key, before, after }: ViewChange<Pool>): void {
    const isSameObject = before?.metadata.uid === after?.metadata.uid;
    if (before && !isSameObject) this.#forget(key);
    if (!after) return;
    if (after.metadata.deletionTimestamp !== undefined) {
      this.#forget(key);
      return;
    }
    if (isSameObject && before?.metadata.generation === after.metadata.generation) return;
    if (!this.#tenureOf(key)) return;
    this.#hooks.fire("PoolChanged", key);
    this.#adopt(key, after);
  }

  #adopt(key: string, pool: Pool): void {
    const tenure = this.#tenureOf(key);
    if (!tenure) return;
    const known = this.#pools.get(key) ?? {
      uid: pool.metadata.uid ?? "",
      key,
      tenure,
      members: new Map(),
      writes: new WriteAllowance(),
      publishing: Promise.resolve(),
    };
    this.#pools.set(key, known);
    const wanted = new Set(pool.spec.members.map(memberKey));
    for (const monitored of [...known.members.values()]) {
      if (!wanted.has(monitored.key)) this.#drop(known, monitored);
    }
    const published = new Map(pool.status?.members?.map((each) => [memberKey(each), each]));
    const now = this.#environment.clock.now();
    for (const member of pool.spec.members) {
      const memberName = memberKey(member);
      const { healthCheck } = pool.spec;
      const monitored =
        known.members.get(memberName) ?? newMember(member, healthCheck, published.get(memberName), now);
      known.members.set(memberName, monitored);
      follow(monitored, member, healthCheck, now);
      this.#probe(known, monitored);
    }
    this.#requestPublish(key);
  }

  /** Subscribes to the probes that the member needs now. */
  #probe(pool: MonitoredPool, monitored: MonitoredMember): void {
    const target = targetOf(monitored);
    const targetKey = JSON.stringify(target);
    if (monitored.probing?.targetKey === targetKey && isProbed(monitored.member, monitored.check)) return;
    this.#stopProbing(monitored);
    if (!isProbed(monitored.member, monitored.check)) return;
    const { random } = this.#environment;
    const wasKnown = isKnown(monitored);
    const delayMs = firstProbeDelayMs(target.check, wasKnown, random());
    // A new subscription numbers its rounds from 0 again.
    monitored.state = { ...monitored.state, roundIndex: -1 };
    let firstRound: number | undefined;
    const handle = this.#schedule.subscribe(target, delayMs, {
      onResult: (result, roundIndex) => {
        const isFirst = firstRound === undefined;
        firstRound ??= roundIndex;
        const nextMs = this.#onResult(pool, monitored, result, roundIndex - firstRound);
        return isFirst && !wasKnown && result.outcome === "pass"
          ? secondProbeDelayMs(nextMs, random())
          : nextMs;
      },
    });
    monitored.probing = { handle, check: target.check, targetKey };
    this.#targetUsers.set(fleetKey(monitored), (this.#targetUsers.get(fleetKey(monitored)) ?? 0) + 1);
  }

  #onResult(
    pool: MonitoredPool,
    monitored: MonitoredMember,
    result: ProbeResult,
    roundIndex: number,
  ): number {
    const { clock, metrics, logger } = this.#environment;
    const now = clock.now();
    this.ledger.note(pool.uid, monitored.key, result, now);
    for (const resolve of monitored.awaiting.splice(0)) resolve(result);
    if (result.outcome !== "none") this.#watchFleet(monitored, result);
    const reasonBefore = monitored.reason;
    const before = judge(monitored, result, roundIndex, this.isFrozen, now);
    if (before !== undefined) {
      const { verdict } = monitored.state;
      this.#fleet.noteVerdict(fleetKey(monitored), verdict === "up", clock.monotonicMs());
      metrics.verdictChanged(verdict);
      const facts = { pool: pool.key, member: monitored.key, before, verdict, reason: monitored.reason };
      logger.info("verdict changed", facts);
      this.#hooks.fire("VerdictChanged", pool.key);
    }
    if (before !== undefined || reasonBefore !== monitored.reason) this.#requestPublish(pool.key);
    return nextProbeMs(monitored);
  }

  #watchLateness(latenessMs: number): void {
    const { clock, logger, metrics } = this.#environment;
    if (this.#lateness.note(latenessMs, clock.monotonicMs())) metrics.probedLate();
    const report = this.#lateness.report(clock.monotonicMs());
    if (report)
      logger.warn("probes start late, this server cannot keep up", {
        ...report,
        targets: this.#schedule.targetCount,
      });
  }

  #watchFleet(monitored: MonitoredMember, result: ProbeResult): void {
    const wasUp = monitored.state.verdict === "up";
    this.#fleet.noteResult(fleetKey(monitored), result.outcome === "pass", wasUp);
    this.#checkFreeze();
  }

  #checkFreeze(): void {
    const frozen = this.#fleet.isFrozen(this.#pools.size, this.#environment.clock.monotonicMs());
    if (frozen === this.isFrozen) return;
    this.isFrozen = frozen;
    this.#environment.metrics.freezeChanged(frozen);
    const { counted, failing } = this.#fleet.counts;
    const facts = { failing, counted };
    if (frozen) {
      this.#environment.logger.error(
        "most members fail at once, the checker is held to be cut off: verdicts are frozen",
        facts,
      );
    } else this.#environment.logger.warn("members answer again, verdicts are no longer frozen", facts);
  }

  #stopProbing(monitored: MonitoredMember): void {
    if (!monitored.probing) return;
    monitored.probing.handle.unsubscribe();
    monitored.probing = undefined;
    const users = (this.#targetUsers.get(fleetKey(monitored)) ?? 1) - 1;
    if (users > 0) this.#targetUsers.set(fleetKey(monitored), users);
    else {
      this.#targetUsers.delete(fleetKey(monitored));
      this.#fleet.remove(fleetKey(monitored));
    }
  }

  #drop(pool: MonitoredPool, monitored: MonitoredMember): void {
    this.#stopProbing(monitored);
    pool.members.delete(monitored.key);
    this.ledger.forget(pool.uid, monitored.key);
  }

  #forget(key: string): void {
    const pool = this.#pools.get(key);
    if (!pool) return;
    for (const monitored of [...pool.members.values()]) this.#drop(pool, monitored);
    this.ledger.forget(pool.uid);
    this.#pools.delete(key);
  }

  #requestPublish(key: string): void {
    const pool = this.#pools.get(key);
    if (!pool) return;
    const waitMs = pool.writes.waitMs(this.#environment.clock.monotonicMs());
    const isFirstRound = [...pool.members.values()].some(
      ({ state, probing }) => probing !== undefined && state.verdict === "unchecked",
    );
    this.#queue.addAfter(key, isFirstRound ? Math.max(waitMs, FIRST_ROUND_GATHERING_MS) : waitMs);
  }

  async #publish(key: string): Promise<void> {
    const monitored = this.#pools.get(key);
    if (!monitored) return;
    const publishing = this.#write(monitored);
    monitored.publishing = publishing.catch(() => undefined);
    await publishing;
  }

  /** What is not written yet, now, when others are about to take over. */
  async #publishLast(monitored: MonitoredPool): Promise<void> {
    await monitored.publishing;
    await this.#write(monitored).catch((error: unknown) => {
      this.#environment.logger.debug("last verdicts not written", { pool: monitored.key, error });
    });
  }

  async #write(monitored: MonitoredPool): Promise<void> {
    const pool = this.#view?.get(monitored.key);
    if (pool?.metadata.uid !== monitored.uid) return;
    const { clock } = this.#environment;
    const { resources } = monitored.tenure;
    const withVerdicts = (each: Pool): Pool | undefined => {
      const members = each.spec.members.map((member) => monitored.members.get(memberKey(member)));
      return withHealth(each, members.filter((member) => member !== undefined).map(statusOf), clock.now());
    };
    if (!withVerdicts(pool)) return;
    monitored.writes.take(clock.monotonicMs());
    const { namespace, name } = pool.metadata;
    const reference = { definition: poolDefinition, name, ...(namespace === undefined ? {} : { namespace }) };
    const told = await changeObject<Pool>({
      resources,
      reference,
      known: pool,
      change: withVerdicts,
      write: WRITE,
    });
    if (told) this.#view?.learn(told);
  }
}

/** What counts as one target of the fleet: pools that share a member see the same server. */
function fleetKey({ ip, port }: MonitoredMember): string {
  return `${ip}:${port}`;
}
