import { expect, it } from "vitest";
import { SCHEDULER_NAMES } from "../model/index.ts";
import { expectedShares, slotTable } from "./slot-table.ts";

const members = [
  { ip: "10.0.0.1", port: 80, weight: 3 },
  { ip: "10.0.0.2", port: 80, weight: 1 },
];

it("ignores weights for rr and lc, and obeys them for wrr, wlc, sh and mh", () => {
  expect(expectedShares("rr", members)).toEqual([0.5, 0.5]);
  expect(expectedShares("lc", members)).toEqual([0.5, 0.5]);
  expect(expectedShares("wrr", members)).toEqual([0.75, 0.25]);
  expect(expectedShares("wlc", members)).toEqual([0.75, 0.25]);
  for (const scheduler of ["sh", "mh"] as const) {
    expect(expectedShares(scheduler, members)[0]).toBeCloseTo(0.75, 2);
  }
});

it("goes by weight where the load is weighed, and by the largest weight for fo and ovf", () => {
  for (const scheduler of ["sed", "nq", "twos", "lblc", "lblcr"] as const)
    expect(expectedShares(scheduler, members)).toEqual([0.75, 0.25]);
  const equal = { ip: "10.0.0.3", port: 80, weight: 3 };
  for (const scheduler of ["fo", "ovf"] as const)
    expect(expectedShares(scheduler, [...members, equal])).toEqual([0.5, 0, 0.5]);
  expect(expectedShares("dh", members)).toEqual([0.5, 0.5]);
});

it("lists every member once where the scheduler scans", () => {
  expect([...slotTable("wlc", members)]).toEqual([0, 1]);
});

it("is empty without members, for every scheduler", () => {
  for (const scheduler of SCHEDULER_NAMES) {
    expect(slotTable(scheduler, [])).toHaveLength(0);
  }
});
