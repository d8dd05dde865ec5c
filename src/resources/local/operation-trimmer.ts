import type { Logger } from "../../foundation/index.ts";
import { operationDefinition } from "../../model/index.ts";
import type { Store } from "../../store/index.ts";
import { prefixOf } from "./keys.ts";

const CHECK_EVERY = 100;
const DELETED_PER_TRANSACTION = 200;

/** Keeps the newest Operations and deletes older ones, now and then, beside the writes. */
export class OperationTrimmer {
  readonly #store: Store;
  readonly #keptCount: number;
  readonly #logger: Logger;
  #noted = 0;
  #trimming: Promise<void> | undefined;

  constructor(store: Store, keptCount: number, logger: Logger) {
    this.#store = store;
    this.#keptCount = keptCount;
    this.#logger = logger;
  }

  /** An Operation was written. */
  note(): void {
    this.#noted += 1;
    if (this.#noted % CHECK_EVERY !== 0) return;
    this.#trimming ??= this.#trim().finally(() => {
      this.#trimming = undefined;
    });
  }

  async #trim(): Promise<void> {
    const prefix = prefixOf(operationDefinition);
    try {
      for (;;) {
        const { entries, count } = await this.#store.range(prefix, { limit: DELETED_PER_TRANSACTION });
        const surplus = entries.slice(0, Math.max(0, count - this.#keptCount));
        if (surplus.length === 0) return;
        await this.#store.transact(
          [],
          surplus.map(({ key }) => ({ kind: "delete", key })),
        );
      }
    } catch (error) {
      this.#logger.warn("old operations not deleted", { error });
    }
  }
}
