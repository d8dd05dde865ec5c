import { describe, expect, it } from "vitest";
import { FleetWatch, FREEZE_LEAST_TARGETS, FREEZE_WINDOW_MS } from "./fleet-watch.ts";

const MANY_POOLS = 100;

function fleetOf(count: number): FleetWatch {
  const fleet = new FleetWatch();
  for (let at = 0; at < count; at += 1) fleet.noteResult(`t${at}`, true, true);
  return fleet;
}

function fail(fleet: FleetWatch, count: number): void {
  for (let at = 0; at < count; at += 1) fleet.noteResult(`t${at}`, false, true);
}

describe("fleet watch", () => {
  it("freezes when more than half of the fleet fails, not at half", () => {
    const fleet = fleetOf(100);
    fail(fleet, 50);
    expect(fleet.isFrozen(MANY_POOLS, 0)).toBe(false);
    fail(fleet, 51);
    expect(fleet.isFrozen(MANY_POOLS, 0)).toBe(true);
  });

  it("thaws when half of the fleet answers again", () => {
    const fleet = fleetOf(100);
    fail(fleet, 100);
    for (let at = 0; at < 49; at += 1) fleet.noteResult(`t${at}`, true, true);
    expect(fleet.isFrozen(MANY_POOLS, 0)).toBe(true);
    fleet.noteResult("t49", true, true);
    expect(fleet.isFrozen(MANY_POOLS, 0)).toBe(false);
  });

  it("never freezes a small installation, where everything may really be down", () => {
    const few = fleetOf(FREEZE_LEAST_TARGETS - 1);
    fail(few, FREEZE_LEAST_TARGETS - 1);
    expect(few.isFrozen(MANY_POOLS, 0)).toBe(false);
    const many = fleetOf(1_000);
    fail(many, 1_000);
    expect(many.isFrozen(9, 0)).toBe(false);
    expect(many.isFrozen(10, 0)).toBe(true);
  });

  it("does not count targets that have been down for long, nor those that were never up", () => {
    const fleet = fleetOf(30);
    for (let at = 0; at < 20; at += 1) {
      fleet.noteResult(`t${at}`, false, true);
      fleet.noteVerdict(`t${at}`, false, 0);
    }
    for (let at = 100; at < 200; at += 1) fleet.noteResult(`t${at}`, false, false);
    expect(fleet.counts).toEqual({ counted: 30, failing: 20 });
    expect(fleet.isFrozen(MANY_POOLS, FREEZE_WINDOW_MS)).toBe(false);
    expect(fleet.counts).toEqual({ counted: 10, failing: 0 });
  });

  it("lets a fleet decay slowly: what fails one after another goes down one after another", () => {
    const fleet = fleetOf(100);
    for (let at = 0; at < 100; at += 1) {
      const nowMs = at * FREEZE_WINDOW_MS;
      fleet.noteResult(`t${at}`, false, true);
      expect(fleet.isFrozen(MANY_POOLS, nowMs)).toBe(false);
      fleet.noteVerdict(`t${at}`, false, nowMs);
    }
  });

  it("counts a target that comes back, and forgets one that is removed", () => {
    const fleet = fleetOf(40);
    fleet.noteResult("t0", false, true);
    fleet.noteVerdict("t0", false, 0);
    fleet.noteResult("t0", true, false);
    fleet.noteVerdict("t0", true, 5);
    expect(fleet.isFrozen(MANY_POOLS, FREEZE_WINDOW_MS + 5)).toBe(false);
    expect(fleet.counts).toEqual({ counted: 40, failing: 0 });
    for (let at = 0; at < 40; at += 1) fleet.remove(`t${at}`);
    expect(fleet.counts).toEqual({ counted: 0, failing: 0 });
  });
});
