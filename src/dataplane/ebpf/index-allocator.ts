/** Hands out the rows of an array map. A freed row comes round again as late as possible. */
export interface IndexAllocator {
  /** @returns undefined when every row is used. */
  allocate(): number | undefined;
  claim(index: number): void;
  free(index: number): void;
  isUsed(index: number): boolean;
  /** Rows that there are. */
  readonly capacityCount: number;
  /** Rows in use. */
  usedCount(): number;
  /** One behind the highest row that was ever used. */
  endIndex(): number;
}

export function createIndexAllocator(capacityCount: number): IndexAllocator {
  const used = new Uint8Array(capacityCount);
  let usedCount = 0;
  let next = 0;
  let end = 0;

  return {
    capacityCount,
    allocate() {
      if (usedCount === capacityCount) return undefined;
      let index = used.indexOf(0, next);
      if (index === -1) index = used.indexOf(0);
      next = index + 1;
      mark(index);
      return index;
    },
    claim: mark,
    free(index) {
      if (used[index]) usedCount -= 1;
      used[index] = 0;
    },
    isUsed: (index) => used[index] === 1,
    usedCount: () => usedCount,
    endIndex: () => end,
  };

  function mark(index: number): void {
    if (!used[index]) usedCount += 1;
    used[index] = 1;
    end = Math.max(end, index + 1);
  }
}
