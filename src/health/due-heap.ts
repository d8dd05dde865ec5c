/** Something that is due at a time. */
interface Due {
  /** Monotonic time, ms. */
  readonly dueMs: number;
}

/** A binary heap: the earliest first, in O(log n) for 100,000 entries. */
export class DueHeap<Entry extends Due> {
  readonly #entries: Entry[] = [];

  /** The earliest entry. */
  peek(): Entry | undefined {
    return this.#entries[0];
  }

  push(entry: Entry): void {
    let at = this.#entries.push(entry) - 1;
    while (at > 0) {
      const parentAt = (at - 1) >> 1;
      const parent = this.#entries[parentAt];
      if (!parent || parent.dueMs <= entry.dueMs) break;
      this.#entries[at] = parent;
      at = parentAt;
    }
    this.#entries[at] = entry;
  }

  /** Takes the earliest entry off. */
  pop(): Entry | undefined {
    const earliest = this.#entries[0];
    const last = this.#entries.pop();
    if (last && this.#entries.length > 0) this.#sink(last);
    return earliest;
  }

  #sink(entry: Entry): void {
    const entries = this.#entries;
    let at = 0;
    for (;;) {
      const left = entries[2 * at + 1];
      const right = entries[2 * at + 2];
      const takeRight = left !== undefined && right !== undefined && right.dueMs < left.dueMs;
      const child = takeRight ? right : left;
      if (!child || child.dueMs >= entry.dueMs) break;
      entries[at] = child;
      at = 2 * at + (takeRight ? 2 : 1);
    }
    entries[at] = entry;
  }
}
