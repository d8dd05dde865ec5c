import { hasCode } from "../../src/foundation/index.ts";
import type { Store, StoreEvent, StoreWatchMessage } from "../../src/store/index.ts";

/** Lists and follows a prefix as clients do, and takes note of everything that can not be true. */
export class StrictClient {
  readonly view = new Map<string, string>();
  readonly complaints: string[] = [];
  /** How often it was told to list again. */
  relists = 0;
  /** Up to which revision it knows everything. */
  revision = 0;
  readonly ended: Promise<void>;

  constructor(store: Store, prefix: string, signal: AbortSignal) {
    this.ended = this.#follow(store, prefix, signal);
  }

  async #follow(store: Store, prefix: string, signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      try {
        await this.#list(store, prefix);
        for await (const message of store.watch(prefix, this.revision + 1, signal)) this.#take(message);
      } catch (failure) {
        if (hasCode(failure, "Expired")) this.relists += 1;
        else if (!signal.aborted) this.complaints.push(String(failure));
        await new Promise((resolve) => setTimeout(resolve, 5));
      }
    }
  }

  async #list(store: Store, prefix: string): Promise<void> {
    const { entries, revision } = await store.range(prefix);
    if (revision < this.revision) this.complaints.push(`list at ${revision} after ${this.revision}`);
    this.revision = revision;
    this.view.clear();
    for (const { key, value } of entries) this.view.set(key, value);
  }

  #take(message: StoreWatchMessage): void {
    const { revision } = message;
    if (revision < this.revision || (message.kind === "events" && revision === this.revision)) {
      this.complaints.push(`${message.kind} of ${revision} after ${this.revision}`);
    }
    this.revision = revision;
    for (const event of message.kind === "events" ? message.events : []) this.#apply(event);
  }

  #apply(event: StoreEvent): void {
    const key = event.kind === "put" ? event.entry.key : event.key;
    const [before, told] = [this.view.get(key), event.previous?.value];
    if (before !== told) this.complaints.push(`${key} at ${this.revision}: had ${before}, told ${told}`);
    if (event.kind === "put") this.view.set(key, event.entry.value);
    else this.view.delete(key);
  }
}
