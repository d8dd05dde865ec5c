import { describe, expect, it } from "vitest";
import type { ProbeResult } from "../../health/index.ts";
import { WritableProbeLedger } from "./probe-ledger.ts";

const AT = new Date("2026-01-01T00:00:00Z");
const pass: ProbeResult = { outcome: "pass", code: "L7OK", durationMs: 1.5, snippet: "HTTP/1.1 200 OK" };
const fail: ProbeResult = { outcome: "fail", code: "L4CON", durationMs: 0.2, snippet: "connection refused" };
const nothing: ProbeResult = { outcome: "none", code: "SOCKERR", durationMs: 0, snippet: "EMFILE" };

describe("probe ledger", () => {
  it("counts passes and failures, and what says nothing about the member not at all", () => {
    const ledger = new WritableProbeLedger();
    for (const result of [pass, fail, nothing, pass]) ledger.note("uid", "10.0.0.1:80", result, AT);
    expect(ledger.read("uid", "10.0.0.1:80")).toEqual({
      successCount: 2,
      failureCount: 1,
      recentSuccessCount: 2,
      recentCount: 3,
      lastCode: "L7OK",
      lastSnippet: "HTTP/1.1 200 OK",
      lastDurationMs: 1.5,
      lastTime: "2026-01-01T00:00:00.000Z",
    });
  });

  it("remembers the last hundred", () => {
    const ledger = new WritableProbeLedger();
    for (let count = 0; count < 100; count += 1) ledger.note("uid", "m", fail, AT);
    for (let count = 0; count < 60; count += 1) ledger.note("uid", "m", pass, AT);
    expect(ledger.read("uid", "m")).toMatchObject({
      successCount: 60,
      recentSuccessCount: 60,
      recentCount: 100,
    });
    for (let count = 0; count < 60; count += 1) ledger.note("uid", "m", pass, AT);
    expect(ledger.read("uid", "m")?.recentSuccessCount).toBe(100);
  });

  it("keeps pools that share a member apart, and forgets what is removed", () => {
    const ledger = new WritableProbeLedger();
    ledger.note("a", "m", pass, AT);
    ledger.note("b", "m", fail, AT);
    ledger.note("b", "n", fail, AT);
    ledger.forget("b", "m");
    expect([...ledger.entries()].map(({ poolUid, member }) => `${poolUid}/${member}`)).toEqual([
      "a/m",
      "b/n",
    ]);
    ledger.forget("b");
    expect(ledger.read("b", "n")).toBeUndefined();
  });
});
