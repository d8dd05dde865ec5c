import type { ServerResponse } from "node:http";
import type { FastifyReply } from "fastify";

/**
 * What one client may leave unread before its stream waits, bytes. Nothing is lost by waiting: watches read history at
 * their own pace, lists are encoded as they go out. More would only be memory that a client that reads nothing holds.
 */
const UNREAD_LIMIT_BYTES = 64 * 1024;
/**
 * A client that takes longer for that keeps its turn from others, who wait for the server's time and not for the client's.
 * At 100 ms a page, three seats would need half a minute for 900 pages of busy agents, whatever the server does.
 */
const HESITATION_MS = 10;

/** How a response is written. */
export interface PacedResponseOptions {
  /** A client that reads nothing for this long, milliseconds, while its limit is reached, is dropped. */
  readonly slowClientMs: number;
  /** Told when that happens. */
  readonly onDropped: () => void;
  /** Told when the client is waited for longer than a moment. */
  readonly onHesitation?: () => void;
}

/** An answer of any length that is written no faster than its client reads. */
export class PacedResponse {
  readonly #reply: FastifyReply;
  readonly #response: ServerResponse;
  readonly #options: PacedResponseOptions;

  constructor(reply: FastifyReply, options: PacedResponseOptions) {
    this.#reply = reply;
    this.#response = reply.raw;
    this.#options = options;
  }

  /** Whether the client has gone, or was dropped. */
  get isGone(): boolean {
    return this.#response.destroyed;
  }

  /** Whether the client has yet to read what it was sent. */
  get isBehind(): boolean {
    return this.#response.writableLength >= UNREAD_LIMIT_BYTES;
  }

  /** Takes the answer out of fastify's hands, and sends status and headers: those that the reply has by now, and these. */
  begin(headers: Readonly<Record<string, string>> = {}): void {
    this.#reply.hijack();
    for (const [name, value] of Object.entries(this.#reply.getHeaders())) {
      if (value !== undefined) this.#response.setHeader(name, value);
    }
    this.#response.writeHead(200, { "content-type": "application/json", ...headers });
    this.#response.flushHeaders();
  }

  /** Writes without waiting. */
  write(part: Buffer | string): void {
    if (!this.isGone) this.#response.write(part);
  }

  /** Resolves when the client has read enough, or is gone. */
  async ready(): Promise<void> {
    if (this.isGone || !this.isBehind) return;
    if (await this.#drains()) return;
    this.#response.destroy();
    this.#options.onDropped();
  }

  end(): void {
    this.#response.end();
  }

  /** Whether the client reads on before the time is up. A client that goes is not waited for. */
  #drains(): Promise<boolean> {
    const response = this.#response;
    return new Promise((resolve) => {
      const settle = (isRead: boolean) => (): void => {
        clearTimeout(timer);
        clearTimeout(hesitation);
        response.off("drain", onDrain);
        response.off("close", onDrain);
        resolve(isRead);
      };
      const onDrain = settle(true);
      const timer = setTimeout(settle(false), this.#options.slowClientMs);
      const hesitation = setTimeout(() => this.#options.onHesitation?.(), HESITATION_MS);
      response.once("drain", onDrain);
      response.once("close", onDrain);
    });
  }
}
