import type { Predecessor, ProgrammedPool } from "../dataplane/index.ts";
import { type Clock, type Logger, silentLogger } from "../foundation/index.ts";
import type { DesiredState } from "./desired-state.ts";
import { Reconciler, type Refusal } from "./reconciler.ts";
import { type SuccessionFile, successionFileIn } from "./succession-file.ts";

/** How often it is looked whether the driver still has flows, milliseconds, and how many times longer than looking took. */
const CHECK_MS = 5_000;
const CHECK_REST_FACTOR = 200;
/** How old the number of connections may be that an operator sees, milliseconds: each change of it is written. */
const SHOWN_MS = 60_000;

/** A driver that has been replaced and is not gone yet. */
export interface DrainingDriver {
  readonly driver: string;
  /** Absent until the new one has all that is wanted. */
  readonly since?: string;
  /** Pools that it serves and the new one refuses, a count: until there is none it goes on with everything. */
  readonly lackingCount: number;
  /** Connections that are open; absent until they were counted. */
  readonly openCount?: number;
  /** When what is left of them is cut; absent = never. */
  readonly until?: string;
}

/** What a succession works with. */
export interface SuccessionOptions {
  readonly predecessor: Predecessor;
  /** Name of the driver that forwards from now on. */
  readonly successor: string;
  readonly desired: DesiredState;
  /** How long flows may go on, seconds; 0 = until they end. */
  readonly drainSeconds: number;
  readonly directory: string;
  readonly clock: Clock;
  readonly logger: Logger;
}

/**
 * Has the driver that forwarded before end in peace. It is kept as pools want it, so that its members drain and are cut as
 * ever, but takes nothing new once its successor has everything. It is over when no flow is left, or at the deadline.
 */
export class Succession {
  readonly #options: SuccessionOptions;
  readonly #reconciler: Reconciler;
  readonly #file: SuccessionFile;
  #hasAddresses = false;
  #sinceMs: number | undefined;
  #hasHandedOver = false;
  #lackingCount = 0;
  #checkDueMs = 0;
  #openCount: number | undefined;
  #shown: { readonly openCount: number; readonly atMs: number } | undefined;

  constructor(options: SuccessionOptions) {
    this.#options = options;
    this.#file = successionFileIn(options.directory);
    const { desired } = options;
    // What it refuses is no news: the successor says what it does not have.
    this.#reconciler = new Reconciler({ driver: options.predecessor.driver, desired, logger: silentLogger });
  }

  /** Every pool that the kernel holds for it. */
  *heldPools(): Generator<ProgrammedPool> {
    for (const uid of this.#reconciler.heldUids) {
      const pool = this.#reconciler.held(uid);
      if (pool) yield pool;
    }
  }

  get driver(): Predecessor["driver"] {
    return this.#options.predecessor.driver;
  }

  /** As operators see it. */
  get draining(): DrainingDriver {
    const nowMs = this.#options.clock.monotonicMs();
    const openCount = this.#openCount;
    const isOld = !this.#shown || nowMs - this.#shown.atMs >= SHOWN_MS;
    if (openCount !== undefined && isOld) this.#shown = { openCount, atMs: nowMs };
    const untilMs = this.#untilMs;
    return {
      driver: this.driver.name,
      lackingCount: this.#lackingCount,
      ...(this.#sinceMs === undefined ? {} : { since: timeText(this.#sinceMs) }),
      ...(this.#shown ? { openCount: this.#shown.openCount } : {}),
      ...(untilMs === undefined ? {} : { until: timeText(untilMs) }),
    };
  }

  get #untilMs(): number | undefined {
    const { drainSeconds } = this.#options;
    return this.#sinceMs === undefined || drainSeconds === 0
      ? undefined
      : this.#sinceMs + drainSeconds * 1000;
  }

  /** Learns what the kernel holds, and since when it is succeeded. */
  async adopt(): Promise<void> {
    await this.#reconciler.adopt();
    const note = await this.#file.read();
    if (note?.from === this.driver.name) this.#sinceMs = Date.parse(note.since);
  }

  async setNodeAddresses(addresses: readonly string[]): Promise<void> {
    await this.driver.setNodeAddresses(addresses);
    this.#hasAddresses = true;
  }

  markDirty(uids: Iterable<string>): void {
    this.#reconciler.markDirty(uids);
  }

  markHeldDirty(): void {
    this.#reconciler.markHeldDirty();
  }

  async reconcile(): Promise<void> {
    await this.#reconciler.reconcile();
  }

  async checkDrift(): Promise<void> {
    await this.#reconciler.checkDrift();
  }

  /**
   * Leaves what is new to the successor; not before that one has addresses, and every pool that is served now. Call when it
   * has all that it takes.
   *
   * @param refusals Of the successor.
   */
  async handOver(refusals: readonly Refusal[]): Promise<void> {
    const isBegun = this.#sinceMs !== undefined;
    this.#lackingCount = isBegun ? 0 : refusals.filter((refusal) => this.#wouldLose(refusal)).length;
    if (!this.#hasAddresses || this.#lackingCount > 0) return;
    const { predecessor, successor, clock, logger } = this.#options;
    predecessor.handOver();
    this.#hasHandedOver = true;
    if (isBegun) return;
    const since = clock.now();
    this.#sinceMs = since.getTime();
    logger.info("new flows take the new driver", { from: this.driver.name, to: successor });
    await this.#file.write({ from: this.driver.name, since: since.toISOString() });
  }

  #wouldLose({ uid, code }: Refusal): boolean {
    const addresses = this.#reconciler.held(uid)?.addresses ?? [];
    return (
      code !== "AddressTaken" && addresses.some(({ closingDeadlineMs }) => closingDeadlineMs === undefined)
    );
  }

  /** Lets the driver clean up. @returns why it is over; undefined while it is not */
  async maintain(): Promise<string | undefined> {
    await this.driver.maintain();
    const { clock } = this.#options;
    const startMs = clock.monotonicMs();
    if (!this.#hasHandedOver || startMs < this.#checkDueMs) return undefined;
    const { flowEntryCount, members } = await this.driver.readCounters();
    const tookMs = clock.monotonicMs() - startMs;
    this.#checkDueMs = startMs + Math.max(CHECK_MS, CHECK_REST_FACTOR * tookMs);
    this.#openCount = members.reduce((sum, { activeConnections }) => sum + activeConnections, 0);
    if (flowEntryCount === 0) return "no flow is left";
    return clock.now().getTime() >= (this.#untilMs ?? Number.POSITIVE_INFINITY)
      ? "the time for its flows is up"
      : undefined;
  }

  /** Takes the driver out of the kernel. */
  async end(why: string): Promise<void> {
    await this.#options.predecessor.remove();
    await this.#file.remove();
    const facts = { driver: this.driver.name, reason: why, openCount: this.#openCount };
    this.#options.logger.info("driver before taken out of the kernel", facts);
  }
}

function timeText(ms: number): string {
  return `${new Date(ms).toISOString().slice(0, 19)}Z`;
}
