/** One operation of one client on one key, as the client saw it. Times are milliseconds of one monotonic clock. */
export interface Operation {
  readonly key: string;
  readonly calledMs: number;
  /** `Infinity` when the outcome is unknown: it may happen at any later time, or never. */
  readonly returnedMs: number;
  readonly action: Read | Swap;
}

/** What was read: `undefined` and revision 0 for a key that is not there. */
export interface Read {
  readonly kind: "read";
  readonly value: string | undefined;
  readonly revision: number;
}

/** A compare-and-swap from the value that the client had seen to one that nobody else writes. */
export interface Swap {
  readonly kind: "swap";
  readonly expected: string | undefined;
  readonly expectedRevision: number;
  readonly value: string;
  readonly outcome: "done" | "refused" | "unknown";
  /** Of a swap that was done. */
  readonly revision?: number;
}

/** What is wrong with a history. */
export interface Fault {
  readonly key: string;
  readonly message: string;
}

/**
 * Looks for an order of each key's operations in which a single register would have answered the same, and which leaves no
 * operation before one that had returned when it was called (Herlihy and Wing); and holds the revisions to it: a value has
 * one revision, a revision has one value, and a swap's is higher than the one it replaced.
 *
 * Keys are independent of each other. The search is Wing and Gong's with Lowe's memory of what was tried; a key should have
 * no more than some hundred operations.
 */
export function findFaults(history: readonly Operation[]): readonly Fault[] {
  const byKey = new Map<string, Operation[]>();
  for (const operation of history) byKey.set(operation.key, [...(byKey.get(operation.key) ?? []), operation]);
  const unordered = [...byKey].filter(([, operations]) => !hasOrder(operations));
  return [
    ...unordered.map(([key, { length }]) => ({ key, message: `no order explains its ${length} operations` })),
    ...wrongRevisions(history),
  ];
}

function hasOrder(unsorted: readonly Operation[]): boolean {
  const operations = [...unsorted].sort((a, b) => a.calledMs - b.calledMs);
  const certain = operations.reduce(
    (set, operation, index) => (operation.returnedMs === Infinity ? set : set | bit(index)),
    0n,
  );
  const tried = new Set<string>();
  const search = (done: bigint, value: string | undefined): boolean => {
    if ((done & certain) === certain) return true;
    const place = `${done.toString(36)} ${value ?? ""}`;
    if (tried.has(place)) return false;
    tried.add(place);
    const possible = candidates(operations, done).flatMap((index) => {
      const next = after(operations[index]?.action, value);
      return next ? [{ index, value: next.value }] : [];
    });
    // What changes nothing and may come now can come now in any order that there is: no other choice need be tried.
    const idle = possible.find((each) => each.value === value);
    return (idle ? [idle] : possible).some((each) => search(done | bit(each.index), each.value));
  };
  return search(0n, undefined);
}

/** Operations that may come next: called before any that is not done yet had returned. */
function candidates(operations: readonly Operation[], done: bigint): readonly number[] {
  const waiting = [...operations.keys()].filter((index) => (done & bit(index)) === 0n);
  const firstReturn = Math.min(...waiting.map((index) => operations[index]?.returnedMs ?? Infinity));
  return waiting.filter((index) => (operations[index]?.calledMs ?? 0) <= firstReturn);
}

/** The register's value after the action, or `undefined` when the register would have answered otherwise. */
function after(
  action: Read | Swap | undefined,
  value: string | undefined,
): { readonly value: string | undefined } | undefined {
  if (action === undefined) return undefined;
  if (action.kind === "read") return action.value === value ? { value } : undefined;
  const fits = action.expected === value;
  if (action.outcome === "refused") return fits ? undefined : { value };
  return fits ? { value: action.value } : undefined;
}

function wrongRevisions(history: readonly Operation[]): readonly Fault[] {
  const faults: Fault[] = [];
  const seen = { revisions: new Map<string, number>(), values: new Map<string, string>() };
  const note = (key: string, value: string, revision: number) => {
    const known = seen.revisions.get(`${key} ${value}`) ?? revision;
    if (known !== revision)
      faults.push({ key, message: `"${value}" has the revisions ${known} and ${revision}` });
    seen.revisions.set(`${key} ${value}`, revision);
    const other = seen.values.get(`${key} ${revision}`) ?? value;
    if (other !== value) faults.push({ key, message: `revision ${revision} is "${other}" and "${value}"` });
    seen.values.set(`${key} ${revision}`, value);
  };
  for (const { key, action } of history) {
    if (action.kind === "read" && action.value !== undefined) note(key, action.value, action.revision);
    if (action.kind !== "swap" || action.revision === undefined) continue;
    note(key, action.value, action.revision);
    if (action.revision <= action.expectedRevision)
      faults.push({
        key,
        message: `revision ${action.revision} was written over ${action.expectedRevision}`,
      });
  }
  return faults;
}

function bit(index: number): bigint {
  return 1n << BigInt(index);
}
