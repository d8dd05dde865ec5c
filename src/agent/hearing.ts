import { type Clock, type Logger, ParasausError } from "../foundation/index.ts";
import { isOlder, StaleAnswer, type StorePosition } from "../resources/index.ts";

/** A watch brings a bookmark every 5 s at least; silent for so long, it does not work, milliseconds. */
const SILENCE_MS = 30_000;

/** Why this node does not do what a server wants. */
export interface Silence {
  /** For the Node's condition. */
  readonly reason: "NotFollowing" | "OtherStore" | StaleAnswer["reason"];
  readonly message: string;
}

/** Whether this node hears what the servers want, and what of it is refused. */
export class Hearing {
  readonly #clock: Clock;
  readonly #logger: Logger;
  readonly #snapshotPath: string;
  readonly #startMs: number;
  #lastHeardMs: number | undefined;
  #refusal: Silence | undefined;
  #refusedCount = 0;
  #storeUid: string | undefined;

  /** @param snapshotPath Where the node's state is kept, for those who want it forgotten. */
  constructor(clock: Clock, logger: Logger, snapshotPath: string) {
    this.#clock = clock;
    this.#logger = logger;
    this.#snapshotPath = snapshotPath;
    this.#startMs = clock.monotonicMs();
  }

  /** Which store the pools are from: uid of its namespace `default`; absent where that is not known. */
  get storeUid(): string | undefined {
    return this.#storeUid;
  }

  /** How often an answer was refused. */
  get refusedCount(): number {
    return this.#refusedCount;
  }

  /** Since a server was last heard of over the watch; absent before the first time. */
  get ageMs(): number | undefined {
    return this.#lastHeardMs === undefined ? undefined : this.#clock.monotonicMs() - this.#lastHeardMs;
  }

  /** Why no server is heard; absent while one is. */
  get silence(): Silence | undefined {
    if (this.#refusal) return this.#refusal;
    const sinceMs = this.#lastHeardMs ?? this.#startMs;
    if (this.#clock.monotonicMs() - sinceMs <= SILENCE_MS) return undefined;
    return { reason: "NotFollowing", message: "The watch of the pools brings nothing" };
  }

  /** What a snapshot file knew. */
  remember(storeUid: string | undefined): void {
    this.#storeUid = storeUid;
  }

  /** Something was taken over. */
  noteHeard(): void {
    if (this.#refusal) this.#logger.info("server is followed again", { after: this.#refusal.reason });
    this.#refusal = undefined;
    this.#lastHeardMs = this.#clock.monotonicMs();
  }

  /**
   * Checks that a whole list is of this node's store and no older than what the node had.
   *
   * @throws ParasausError `Conflict` when it is not
   */
  accept(listed: StorePosition, known: StorePosition | undefined, storeUid: string | undefined): void {
    if (this.#isOther(storeUid)) throw this.#refuse(this.#otherStore(storeUid));
    if (known && isOlder(listed, known)) throw this.#refuse(new StaleAnswer("a list", listed, known));
    this.#storeUid = storeUid ?? this.#storeUid;
  }

  /** An answer was too old; one of another store is refused for that. */
  refuseStale(answer: StaleAnswer, storeUid: string | undefined): void {
    this.#refuse(this.#isOther(storeUid) ? this.#otherStore(storeUid) : answer);
  }

  #isOther(storeUid: string | undefined): storeUid is string {
    return storeUid !== undefined && (this.#storeUid ?? storeUid) !== storeUid;
  }

  #otherStore(storeUid: string): Silence {
    const message =
      `Cannot take over the pools of store ${storeUid}: this node had those of store ${this.#storeUid}; if the server ` +
      `was set up anew on purpose, remove "${this.#snapshotPath}" and restart the agent`;
    return { reason: "OtherStore", message };
  }

  /** Said in the log once, until something is taken over again. */
  #refuse({ reason, message }: Silence): ParasausError {
    this.#refusedCount += 1;
    if (this.#refusal?.reason !== reason) {
      this.#logger.error("server refused, the kernel stays as it is", { reason, message });
    }
    this.#refusal = { reason, message };
    return new ParasausError("Conflict", message);
  }
}
