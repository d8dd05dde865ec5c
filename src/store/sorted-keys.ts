const CHUNK_LENGTH = 512;

/** A set of keys in order, cheap to change in the middle: short sorted chunks instead of one long array. */
export class SortedKeys {
  #chunks: string[][] = [];

  /** Takes over keys that are sorted and distinct already. */
  static fromSorted(keys: readonly string[]): SortedKeys {
    const sorted = new SortedKeys();
    for (let at = 0; at < keys.length; at += CHUNK_LENGTH) {
      sorted.#chunks.push(keys.slice(at, at + CHUNK_LENGTH));
    }
    return sorted;
  }

  /** Adds a key that is not in the set. */
  add(key: string): void {
    const last = this.#chunks.length - 1;
    const at = Math.min(this.#chunkOf(key), last);
    const chunk = this.#chunks[at];
    if (!chunk) {
      this.#chunks.push([key]);
      return;
    }
    chunk.splice(lowerBound(chunk, key), 0, key);
    if (chunk.length > CHUNK_LENGTH * 2) this.#chunks.splice(at + 1, 0, chunk.splice(CHUNK_LENGTH));
  }

  /** Removes a key that is in the set. */
  delete(key: string): void {
    const at = this.#chunkOf(key);
    const chunk = this.#chunks[at];
    const place = chunk ? lowerBound(chunk, key) : 0;
    if (chunk?.[place] !== key) return;
    chunk.splice(place, 1);
    if (chunk.length === 0) this.#chunks.splice(at, 1);
  }

  /** The keys that begin with `prefix` and sort behind `after`, in order. */
  *under(prefix: string, after?: string): Generator<string> {
    const start = after !== undefined && after >= prefix ? `${after}\0` : prefix;
    let place: number | undefined;
    for (let at = this.#chunkOf(start); at < this.#chunks.length; at += 1) {
      const chunk = this.#chunks[at] ?? [];
      for (let index = place ?? lowerBound(chunk, start); index < chunk.length; index += 1) {
        const key = chunk[index] ?? "";
        if (!key.startsWith(prefix)) return;
        yield key;
      }
      place = 0;
    }
  }

  /** How many keys begin with `prefix`. */
  count(prefix: string): number {
    let count = 0;
    for (let at = this.#chunkOf(prefix); at < this.#chunks.length; at += 1) {
      const chunk = this.#chunks[at] ?? [];
      const first = lowerBound(chunk, prefix);
      const end = chunk.at(-1)?.startsWith(prefix) ? chunk.length : firstOutside(chunk, first, prefix);
      count += end - first;
      if (end < chunk.length) break;
    }
    return count;
  }

  /** The first chunk whose last key is not below `key`; the number of chunks when there is none. */
  #chunkOf(key: string): number {
    let low = 0;
    let high = this.#chunks.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.#chunks[middle]?.at(-1) ?? "") < key) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}

function lowerBound(keys: readonly string[], key: string): number {
  let low = 0;
  let high = keys.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((keys[middle] ?? "") < key) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** Index behind the last key from `first` on that begins with `prefix`: those keys are one run. */
function firstOutside(keys: readonly string[], first: number, prefix: string): number {
  let low = first;
  let high = keys.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (keys[middle]?.startsWith(prefix)) low = middle + 1;
    else high = middle;
  }
  return low;
}
