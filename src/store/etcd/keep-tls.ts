import type { Clock, Logger } from "../../foundation/index.ts";
import { assertUsable, type EtcdTls } from "./channel-credentials.ts";
import type { Member } from "./member.ts";

/** How often it is read what connections are to be secured with, milliseconds. */
const CHECK_MS = 5_000;
const HANDSHAKE_TIMEOUT_MS = 2_000;

/** What keeping connections to the members secured needs. */
export interface KeepTlsOptions {
  readonly members: readonly Member[];
  /** What they are to be secured with now. @throws ParasausError `Usage` when it cannot be read */
  readonly readTls: () => EtcdTls;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly signal: AbortSignal;
}

/** Secures connections with what is read, whenever that changes and can be used, until the signal aborts. */
export async function keepTls(options: KeepTlsOptions, first: EtcdTls): Promise<void> {
  const { clock, signal } = options;
  const keeper = new TlsKeeper(options, first);
  while (!signal.aborted) {
    await clock.sleep(CHECK_MS, signal).catch(() => undefined);
    if (signal.aborted) return;
    keeper.look();
    await keeper.catchUp();
  }
}

class TlsKeeper {
  readonly #options: KeepTlsOptions;
  #current: EtcdTls;
  /** Members whose connection was made with what was before. */
  #behind: readonly Member[] = [];
  /** What was said already. */
  readonly #complaints = new Set<string>();

  constructor(options: KeepTlsOptions, first: EtcdTls) {
    this.#options = options;
    this.#current = first;
  }

  look(): void {
    const { members, readTls, logger } = this.#options;
    try {
      const next = readTls();
      if (isSame(next, this.#current)) return;
      assertUsable(next);
      this.#current = next;
      this.#behind = members;
      this.#complaints.clear();
      logger.info("etcd certificates replaced");
    } catch (error) {
      if (this.#isNews((error as Error).message))
        logger.error("etcd certificates not replaced, the old ones stay", { error });
    }
  }

  /** A connection that works is kept until there is a new one: the files may be wrong in a way that only the member sees. */
  async catchUp(): Promise<void> {
    const still: Member[] = [];
    for (const member of this.#behind) {
      if (await member.secure(this.#current, HANDSHAKE_TIMEOUT_MS)) continue;
      still.push(member);
      if (this.#isNews(member.endpoint))
        this.#options.logger.error("etcd member refuses the new certificates, the old connection stays", {
          member: member.endpoint,
        });
    }
    this.#behind = still;
  }

  #isNews(complaint: string): boolean {
    const isNews = !this.#complaints.has(complaint);
    this.#complaints.add(complaint);
    return isNews;
  }
}

function isSame(one: EtcdTls, other: EtcdTls): boolean {
  return one.ca === other.ca && one.certificate === other.certificate && one.key === other.key;
}
