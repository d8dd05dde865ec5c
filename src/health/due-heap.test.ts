import fc from "fast-check";
import { expect, it } from "vitest";
import { DueHeap } from "./due-heap.ts";

it("hands out entries in the order they are due, whatever order they came in", () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 0, max: 50 })), (times) => {
      const heap = new DueHeap<{ dueMs: number }>();
      for (const dueMs of times) heap.push({ dueMs });
      const popped = times.map(() => heap.pop()?.dueMs);
      expect(popped).toEqual([...times].sort((a, b) => a - b));
      expect([heap.pop(), heap.peek()]).toEqual([undefined, undefined]);
    }),
  );
});

it("stays in order when pushes and pops alternate", () => {
  fc.assert(
    fc.property(fc.array(fc.option(fc.integer({ min: 0, max: 50 }), { nil: "pop" as const })), (steps) => {
      const heap = new DueHeap<{ dueMs: number }>();
      let model: number[] = [];
      for (const step of steps) {
        if (step === "pop") {
          const [earliest, ...rest] = model;
          expect(heap.pop()?.dueMs).toBe(earliest);
          model = rest;
        } else {
          heap.push({ dueMs: step });
          model = [...model, step].sort((a, b) => a - b);
        }
        expect(heap.peek()?.dueMs).toBe(model[0]);
      }
    }),
  );
});
