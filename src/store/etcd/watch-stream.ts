import type { Member } from "./member.ts";
import { METHODS } from "./methods.ts";
import type { WatchResponse } from "./watch-messages.ts";

/** A watch over all keys at one member, read message by message: what is not asked for waits at the member. */
export class WatchStream implements Disposable {
  readonly member: Member;
  readonly #messages: AsyncIterator<WatchResponse>;
  readonly #cancel: () => void;

  constructor(member: Member, startRevision: number) {
    this.member = member;
    const stream = member.stream(METHODS.watch);
    // The iterator takes the error; one that comes after the end must not end the process.
    stream.on("error", () => undefined);
    this.#messages = stream[Symbol.asyncIterator]();
    this.#cancel = () => stream.cancel();
    stream.write({ startRevision });
  }

  /** The next message; undefined when the member ended the stream. Rejects with gRPC's status. */
  async next(): Promise<WatchResponse | undefined> {
    const { done, value } = await this.#messages.next();
    return done ? undefined : value;
  }

  [Symbol.dispose](): void {
    this.#cancel();
  }
}
