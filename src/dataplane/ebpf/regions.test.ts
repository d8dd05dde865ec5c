import { describe, expect, it } from "vitest";
import { createIndexAllocator } from "./index-allocator.ts";
import { createRegionAllocator } from "./regions.ts";

describe("regions", () => {
  it("are not used again before packets that may look at them are through", () => {
    let now = 0;
    const regions = createRegionAllocator(10, () => now);
    const first = regions.allocate(10);
    expect(regions.allocate(1)).toBeUndefined();
    regions.release(first ?? { at: 0, count: 0 }, now);
    now = 999;
    expect(regions.allocate(1)).toBeUndefined();
    now = 1000;
    expect(regions.allocate(10)).toEqual({ at: 0, count: 10 });
  });

  it("grow together again when neighbours are free", () => {
    let now = 0;
    const regions = createRegionAllocator(9, () => now);
    const three = [3, 3, 3].map((count) => regions.allocate(count) ?? { at: 0, count: 0 });
    for (const region of three) regions.release(region, now);
    now = 5000;
    expect(regions.allocate(9)).toEqual({ at: 0, count: 9 });
  });

  it("that the kernel holds already are kept out, wherever they lie", () => {
    const regions = createRegionAllocator(100, () => 0);
    for (const at of [90, 0, 40]) regions.claim({ at, count: 10 });
    regions.claim({ at: 40, count: 10 });
    expect([regions.allocate(30), regions.allocate(40), regions.allocate(1)]).toEqual([
      { at: 10, count: 30 },
      { at: 50, count: 40 },
      undefined,
    ]);
    expect(regions.usedCount()).toBe(100);
  });

  it("without slots take none", () => {
    expect(createRegionAllocator(0, () => 0).allocate(0)).toEqual({ at: 0, count: 0 });
  });
});

describe("indexes", () => {
  it("of freed rows come round as late as possible", () => {
    const indexes = createIndexAllocator(3);
    const first = indexes.allocate() ?? -1;
    indexes.free(first);
    expect([indexes.allocate(), indexes.allocate(), indexes.allocate(), indexes.allocate()]).toEqual([
      1,
      2,
      0,
      undefined,
    ]);
  });

  it("count what is used and where it ends", () => {
    const indexes = createIndexAllocator(10);
    indexes.claim(7);
    indexes.claim(7);
    expect([indexes.usedCount(), indexes.endIndex(), indexes.isUsed(7), indexes.isUsed(6)]).toEqual([
      1,
      8,
      true,
      false,
    ]);
  });
});
