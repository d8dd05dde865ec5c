import type { Clock, LogFacts, Logger } from "../../foundation/index.ts";

/** What stays wrong is said again after this long, milliseconds. */
const REPEAT_MS = 3_600_000;

/** What complaints are made with. */
export interface ComplaintsOptions {
  readonly nodeName: string;
  readonly tokenFile: string | undefined;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** Says what is wrong with a node's identity: once, and again each hour, however often it is found. */
export class Complaints {
  /** What an operator has to do for another certificate. */
  readonly todo: string;
  readonly #options: ComplaintsOptions;
  readonly #saidMs = new Map<string, number>();

  constructor(options: ComplaintsOptions) {
    const { nodeName, tokenFile } = options;
    const place = tokenFile === undefined ? "a file that --token-file names" : `"${tokenFile}"`;
    this.todo = `run \`parasaus node token ${nodeName}\` on a server and put what it prints into ${place}`;
    this.#options = options;
  }

  /** What only an operator can mend. */
  error(event: string, facts: LogFacts = {}): void {
    const { nodeName, logger } = this.#options;
    if (this.#isNews(event, facts)) logger.error(event, { node: nodeName, ...facts, todo: this.todo });
  }

  /** What is tried again. */
  warn(event: string, facts: LogFacts): void {
    const { nodeName, logger } = this.#options;
    if (this.#isNews(event, facts)) logger.warn(event, { node: nodeName, ...facts });
  }

  /** All is well: whatever is wrong next is news. */
  forget(): void {
    this.#saidMs.clear();
  }

  #isNews(event: string, { error }: LogFacts): boolean {
    const text = error instanceof Error ? `${event}: ${error.message}` : event;
    const nowMs = this.#options.clock.monotonicMs();
    const saidMs = this.#saidMs.get(text);
    if (saidMs !== undefined && nowMs - saidMs < REPEAT_MS) return false;
    this.#saidMs.set(text, nowMs);
    return true;
  }
}
