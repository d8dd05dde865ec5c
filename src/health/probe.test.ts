import { expect, it } from "vitest";
import { systemClock } from "../foundation/index.ts";
import { type Probe, runProbe } from "./probe.ts";

const TIMING = { intervalMs: 100, fastIntervalMs: 100, downIntervalMs: 100, timeoutMs: 100 };
const target = { ip: "10.0.0.1", port: 80, check: { type: "tcp", ...TIMING } } as const;

const run = (probe: Probe) =>
  runProbe(target, { registry: { tcp: probe }, clock: systemClock, allowedClasses: new Set() });

/** The answer is there when this process is busy with something else. */
function standStill(ms: number): void {
  for (const untilMs = performance.now() + ms; performance.now() < untilMs; );
}

it("does not blame a member whose answer came while this process stood still", async () => {
  const probing = run((_target, report) => {
    setImmediate(() => report("L4OK", "connected"));
    return { timeoutCode: () => "L4TOUT", abandon: () => undefined };
  });
  standStill(250);
  const { code, durationMs } = await probing;
  // The deadline had passed when the answer was read.
  expect(durationMs).toBeGreaterThan(TIMING.timeoutMs);
  expect(code).toBe("L4OK");
});

it("gives a silent member the time back, once, and then says that it timed out", async () => {
  let abandoned = 0;
  const abandon = () => {
    abandoned += 1;
  };
  const probing = run(() => ({ timeoutCode: () => "L4TOUT", abandon }));
  standStill(160);
  const result = await probing;
  expect(result).toMatchObject({ outcome: "fail", code: "L4TOUT", snippet: "no answer within 100 ms" });
  expect(result.durationMs).toBeGreaterThanOrEqual(200);
  expect(abandoned).toBe(1);
});

it("times a silent member out at its deadline when nothing stood still", async () => {
  const result = await run(() => ({ timeoutCode: () => "L7TOUT", abandon: () => undefined }));
  expect(result).toMatchObject({ outcome: "fail", code: "L7TOUT" });
});
