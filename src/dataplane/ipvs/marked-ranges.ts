import type { Logger } from "../../foundation/index.ts";
import type { PortMark, PortMarks } from "../../linux/index.ts";
import { placeKey } from "../order.ts";
import { markOf, type RangeAddress } from "./ranges.ts";

/** Keeps the kernel's table of marks as pools want it: packets to a range that takes new flows have its mark. */
export class MarkedRanges {
  readonly #marks: PortMarks;
  readonly #wanted: () => readonly RangeAddress[];
  readonly #logger: Logger;
  /** By {@link keyOf}; undefined while there is no table. */
  #listed: ReadonlyMap<string, PortMark> | undefined;

  /** @param wanted The ranges that take new flows and have a service. */
  constructor(marks: PortMarks, wanted: () => readonly RangeAddress[], logger: Logger) {
    this.#marks = marks;
    this.#wanted = wanted;
    this.#logger = logger;
  }

  /** Reads the kernel if `always`, or if it may have changed since, and repairs what differs. */
  learn(always: boolean): void {
    // Asked in any case: it takes in what has been told.
    const hasChanged = this.#marks.hasChanged();
    if (!always && !hasChanged) return;
    const listed = this.#marks.list();
    this.#listed = listed && byKey(listed);
    this.bring();
  }

  /** Writes what differs, a range and one that replaces it at once. */
  bring(): void {
    const wanted = byKey(
      this.#withoutOverlaps(this.#wanted()).map((range) => ({ ...range, mark: markOf(range) })),
    );
    const listed = this.#listed;
    if (!listed) {
      if (wanted.size === 0) return;
      this.#marks.install([...wanted.values()]);
    } else {
      const gone = [...listed].flatMap(([key, mark]) => (wanted.has(key) ? [] : [mark]));
      const fresh = [...wanted].flatMap(([key, mark]) => (listed.has(key) ? [] : [mark]));
      if (gone.length + fresh.length === 0) return;
      this.#marks.change(gone, fresh);
    }
    this.#listed = wanted;
  }

  /** While a pool hands ports to another one, both may want them; the kernel takes them once. */
  #withoutOverlaps(ranges: readonly RangeAddress[]): readonly RangeAddress[] {
    const kept: RangeAddress[] = [];
    for (const range of ranges) {
      const other = kept.find((each) => overlaps(each, range));
      if (!other) kept.push(range);
      else
        this.#logger.warn("range of ports not marked, as it overlaps another one", {
          range: placeKey(range),
          other: placeKey(other),
        });
    }
    return kept;
  }
}

function byKey(marks: readonly PortMark[]): ReadonlyMap<string, PortMark> {
  return new Map(marks.map((each) => [keyOf(each), each]));
}

function keyOf(mark: PortMark): string {
  return `${placeKey(mark)} ${mark.mark}`;
}

function overlaps(one: RangeAddress, other: RangeAddress): boolean {
  const isSameAddress = one.ip === other.ip && one.protocol === other.protocol;
  return isSameAddress && one.port <= other.lastPort && other.port <= one.lastPort;
}
