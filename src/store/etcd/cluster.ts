import { backoffMs, type Clock, type Logger, ParasausError } from "../../foundation/index.ts";
import { type Failure, readFailure } from "./failure.ts";
import { Gate } from "./gate.ts";
import { type Header, NO_KEY } from "./key-value-messages.ts";
import { type Member, SilentMember } from "./member.ts";
import { METHODS, type Method } from "./methods.ts";
import { Search } from "./search.ts";

const ATTEMPT_TIMEOUT_MS = 1_000;
/** For what may be asked again and took too long, though members serve: it may be large, and they or we busy. */
const LONGEST_ATTEMPT_MS = 4_000;
const OPERATION_TIMEOUT_MS = 5_000;
const QUEUE_TIMEOUT_MS = 60_000;
/** How many requests of a kind are on their way at a time: more only wait for each other in here, while their second runs out. */
const MOST_AT_ONCE = 100;
const BACKOFF = { baseMs: 50, maxMs: 500 };

/** What a cluster is reached with. */
export interface ClusterOptions {
  /** At least one. */
  readonly members: readonly Member[];
  readonly clock: Clock;
  readonly random: () => number;
  readonly logger: Logger;
}

/** One request, however many members are asked. */
export interface Operation<Response> {
  /** Completes "Cannot …". */
  readonly action: string;
  /**
   * - `read`: linearizable, so that an answer older than what we have seen is wrong; may be repeated.
   * - `repeat`: asking twice changes no more than asking once.
   * - `once`: never sent again unless it is certain that nothing has happened.
   */
  readonly kind: "read" | "repeat" | "once";
  /** How long to go on asking, milliseconds. Default 5,000. */
  readonly patienceMs?: number;
  readonly send: (member: Member, timeoutMs: number) => Promise<Response>;
}

type Outcome<Response> = { readonly kind: "done"; readonly response: Response } | Failure;

/**
 * The members of one etcd cluster as one thing that answers: asks one member, and another when that one does not
 * answer within a second; after such a silence, nobody is asked before a member has shown that it serves.
 * Remembers the highest revision seen, and believes no read that is behind it.
 */
export class Cluster {
  readonly #options: ClusterOptions;
  readonly #closed = new AbortController();
  readonly #gates = {
    read: new Gate(MOST_AT_ONCE),
    repeat: new Gate(MOST_AT_ONCE),
    once: new Gate(MOST_AT_ONCE),
  };
  #at: number;
  #revision = 0;
  #clusterId: bigint | undefined;
  #search: Search | undefined;

  constructor(options: ClusterOptions) {
    this.#options = options;
    // Many servers that start together spread over the members.
    this.#at = Math.floor(options.random() * options.members.length);
  }

  /** The highest revision that any answer had. */
  get revision(): number {
    return this.#revision;
  }

  /** Aborts when the store closes. */
  get closed(): AbortSignal {
    return this.#closed.signal;
  }

  /** The member that is asked first. */
  get member(): Member {
    const { members } = this.#options;
    const member = members[this.#at % members.length];
    if (!member) throw new ParasausError("Internal", "Cannot reach etcd: there is no member");
    return member;
  }

  /** Asks another member first from now on, unless that is so already. */
  leave(member: Member): void {
    if (this.member === member) this.#at = (this.#at + 1) % this.#options.members.length;
  }

  /** One request to one method. */
  call<Request, Response extends { readonly header: Header }>(
    method: Method<Request, Response>,
    request: Request,
    about: Omit<Operation<Response>, "send">,
  ): Promise<Response> {
    return this.run({ ...about, send: (member, timeoutMs) => member.call(method, request, timeoutMs) });
  }

  /**
   * Asks until a member answers, as long as there is patience.
   *
   * @throws ParasausError what etcd refuses; `Unavailable` when no member answers, or when the outcome is unknown
   */
  async run<Response extends { readonly header: Header }>(operation: Operation<Response>): Promise<Response> {
    const { clock } = this.#options;
    const gate = this.#gates[operation.kind];
    const arrivedMs = clock.monotonicMs();
    await gate.enter();
    try {
      if (clock.monotonicMs() - arrivedMs > QUEUE_TIMEOUT_MS) throw overloaded(operation);
      const { patienceMs = OPERATION_TIMEOUT_MS } = operation;
      return await this.#askInTurn(operation, clock.monotonicMs() + patienceMs);
    } finally {
      gate.leave();
    }
  }

  /**
   * Takes note of what an answer says about its cluster.
   *
   * @returns why it cannot be believed: it is another cluster, or an older state than `floor`.
   */
  notice({ clusterId, revision }: Header, floor = 0): string | undefined {
    this.#clusterId ??= clusterId;
    if (clusterId !== this.#clusterId) {
      const [id, known] = [clusterId, this.#clusterId].map((each) => each.toString(16));
      return `it belongs to cluster ${id}, the store is in cluster ${known}`;
    }
    this.#revision = Math.max(this.#revision, revision);
    return revision < floor ? `it is at revision ${revision}, but ${floor} has been seen` : undefined;
  }

  close(): void {
    this.#closed.abort();
    for (const member of this.#options.members) member.close();
  }

  async #askInTurn<Response extends { readonly header: Header }>(
    operation: Operation<Response>,
    endsMs: number,
  ): Promise<Response> {
    const { clock, members } = this.#options;
    const reasons = new Map<string, string>();
    const failed = new Set<Member>();
    let timeoutMs = ATTEMPT_TIMEOUT_MS;
    for (let attempt = 1; !this.#closed.signal.aborted; attempt += 1) {
      await this.#waitForSearch(operation, reasons, endsMs);
      const member = this.#memberBeside(failed);
      const outcome = await this.#attempt(operation, member, timeoutMs);
      if (outcome.kind === "done") return outcome.response;
      this.#noteFailure(operation, member, outcome);
      if (outcome.cause instanceof SilentMember) timeoutMs = Math.min(2 * timeoutMs, LONGEST_ATTEMPT_MS);
      reasons.set(member.endpoint, outcome.reason);
      if (clock.monotonicMs() >= endsMs) throw unreachable(operation, reasons, outcome.cause);
      if (failed.add(member).size < members.length) continue;
      failed.clear();
      await this.#pause(attempt / members.length - 1);
    }
    throw new ParasausError("Unavailable", `Cannot ${operation.action}: the store is closed`);
  }

  /** @throws ParasausError unless another member may be asked */
  #noteFailure(
    operation: Operation<unknown>,
    member: Member,
    outcome: Failure,
  ): asserts outcome is Exclude<Failure, { kind: "refused" }> {
    if (outcome.kind === "refused") throw outcome.error;
    this.leave(member);
    if (outcome.cause instanceof SilentMember) this.#search ??= this.#startSearch();
    if (outcome.kind === "unknown" && operation.kind === "once")
      throw outcomeUnknown(operation, member, outcome);
  }

  async #waitForSearch(
    operation: Operation<unknown>,
    reasons: ReadonlyMap<string, string>,
    endsMs: number,
  ): Promise<void> {
    const search = this.#search;
    if (!search || (await search.isFoundBy(endsMs)) || this.#closed.signal.aborted) return;
    throw unreachable(operation, new Map([...reasons, ...search.reasons]), undefined);
  }

  async #attempt<Response extends { readonly header: Header }>(
    { action, kind, send }: Operation<Response>,
    member: Member,
    timeoutMs = ATTEMPT_TIMEOUT_MS,
  ): Promise<Outcome<Response>> {
    const floor = kind === "read" ? this.#revision : 0;
    try {
      if (kind === "once" && !(await member.isConnected(ATTEMPT_TIMEOUT_MS)))
        return { kind: "not-done", reason: "no connection", cause: undefined };
      const response = await send(member, timeoutMs);
      const doubt = this.notice(response.header, floor);
      if (doubt === undefined) return { kind: "done", response };
      this.#options.logger.warn("etcd member not believed", { member: member.endpoint, reason: doubt });
      return { kind: "unknown", reason: doubt, cause: undefined };
    } catch (cause) {
      return readFailure(action, cause);
    }
  }

  /** The member that is asked first, unless it has failed: then one that has not. */
  #memberBeside(failed: ReadonlySet<Member>): Member {
    const { member } = this;
    return failed.has(member)
      ? (this.#options.members.find((other) => !failed.has(other)) ?? member)
      : member;
  }

  #startSearch(): Search {
    const { members, clock, random } = this.#options;
    const action = "find a member that serves";
    const send = (member: Member, timeoutMs: number) =>
      member.call(METHODS.range, { key: NO_KEY, countOnly: true }, timeoutMs);
    const ask = async (member: Member) => {
      const outcome = await this.#attempt({ action, kind: "read", send }, member);
      return outcome.kind === "unknown" || outcome.kind === "not-done" ? outcome.reason : undefined;
    };
    const search = new Search({ members, ask, clock, random, signal: this.#closed.signal });
    void search.found.then((member) => {
      this.#search = undefined;
      if (member) this.#at = members.indexOf(member);
    });
    return search;
  }

  async #pause(round: number): Promise<void> {
    const { clock, random } = this.#options;
    await clock.sleep(backoffMs(round, { ...BACKOFF, random }), this.#closed.signal).catch(() => undefined);
  }
}

function outcomeUnknown(
  { action }: Operation<unknown>,
  { endpoint }: Member,
  { reason, cause }: { readonly reason: string; readonly cause: unknown },
): ParasausError {
  const message = `Cannot tell whether it was possible to ${action}: outcome unknown, etcd member ${endpoint}: ${reason}`;
  return new ParasausError("Unavailable", message, { cause });
}

function overloaded({ action }: Operation<unknown>): ParasausError {
  return new ParasausError("Unavailable", `Cannot ${action}: too many requests are waiting for etcd`);
}

function unreachable(
  { action }: Operation<unknown>,
  reasons: ReadonlyMap<string, string>,
  cause: unknown,
): ParasausError {
  const each = [...reasons].map(([endpoint, reason]) => `${endpoint}: ${reason}`).join("; ");
  return new ParasausError("Unavailable", `Cannot ${action}: no etcd member answers (${each})`, { cause });
}
