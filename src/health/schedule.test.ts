import { describe, expect, it } from "vitest";
import { FakeClock } from "../foundation/index.ts";
import type { ProbeCheck, ProbeResult, ProbeTarget } from "./probe.ts";
import { createProbeSchedule, type ProbeScheduleOptions } from "./schedule.ts";

const CHECK: ProbeCheck = {
  type: "tcp",
  intervalMs: 2_000,
  fastIntervalMs: 2_000,
  downIntervalMs: 2_000,
  timeoutMs: 1_000,
};
const PASS: ProbeResult = { outcome: "pass", code: "L4OK", durationMs: 0, snippet: "" };
const target = (port: number, check: Partial<ProbeCheck> = {}): ProbeTarget => ({
  ip: "10.0.0.1",
  port,
  check: { ...CHECK, ...check },
});

function noting(heard: string[], name: string, nextMs: number): () => number {
  return () => {
    heard.push(name);
    return nextMs;
  };
}

function stopAndWait(stop: AbortController, running: Promise<void>): Promise<void> {
  stop.abort();
  return running;
}

function startSchedule(options: Partial<ProbeScheduleOptions> = {}) {
  const clock = new FakeClock();
  const started: { port: number; atMs: number }[] = [];
  const lateness: number[] = [];
  const stop = new AbortController();
  const schedule = createProbeSchedule({
    clock,
    probe: (probed) => {
      started.push({ port: probed.port, atMs: clock.monotonicMs() });
      return options.probe ? options.probe(probed) : Promise.resolve(PASS);
    },
    onProbed: (_target, _result, latenessMs) => lateness.push(latenessMs),
    ...(options.concurrencyCount === undefined ? {} : { concurrencyCount: options.concurrencyCount }),
  });
  const running = schedule.run(stop.signal);
  const every = (ms: number) => ({ onResult: () => ms });
  return { clock, schedule, started, lateness, every, stop: () => stopAndWait(stop, running) };
}

describe("probe schedule", () => {
  it("probes first after the delay, then once per interval, measured from start to start", async () => {
    const lab = startSchedule();
    lab.schedule.subscribe(target(80), 150, lab.every(2_000));
    await lab.clock.advance(6_500);
    expect(lab.started.map(({ atMs }) => atMs)).toEqual([150, 2_150, 4_150, 6_150]);
    await lab.stop();
  });

  it("probes 20,000 targets in time, each exactly once per interval", async () => {
    const lab = startSchedule();
    for (let port = 0; port < 20_000; port += 1) {
      lab.schedule.subscribe(target(port), 10 * Math.floor(port / 1_000), lab.every(2_000));
    }
    for (let third = 0; third < 3; third += 1) await lab.clock.advance(1_999);
    expect(lab.started).toHaveLength(3 * 20_000);
    expect(new Set(lab.started.map(({ port }) => port)).size).toBe(20_000);
    expect(Math.max(...lab.lateness.slice(0, 20_000))).toBeLessThanOrEqual(1);
    await lab.stop();
  }, 30_000);

  it("probes one address once for all pools that check it alike", async () => {
    const lab = startSchedule();
    const heard: string[] = [];
    lab.schedule.subscribe(target(80), 0, { onResult: noting(heard, "a", 2_000) });
    lab.schedule.subscribe(target(80), 0, { onResult: noting(heard, "b", 2_000) });
    lab.schedule.subscribe(target(80, { type: "http" }), 0, { onResult: noting(heard, "c", 2_000) });
    await lab.clock.advance(10);
    expect(lab.schedule.targetCount).toBe(2);
    expect(lab.started).toHaveLength(2);
    expect(heard.sort()).toEqual(["a", "b", "c"]);
    await lab.stop();
  });

  it("follows the most eager subscriber of a shared target", async () => {
    const lab = startSchedule();
    lab.schedule.subscribe(target(80), 0, lab.every(2_000));
    lab.schedule.subscribe(target(80), 0, lab.every(500));
    await lab.clock.advance(2_000);
    expect(lab.started.map(({ atMs }) => atMs)).toEqual([0, 500, 1_000, 1_500, 2_000]);
    await lab.stop();
  });

  it("wakes up for all that falls due within a tick together, and is never later than that", async () => {
    const lab = startSchedule();
    for (let port = 0; port < 990; port += 1)
      lab.schedule.subscribe(target(port), 2 * port, lab.every(2_000));
    await lab.clock.advance(9_999);
    expect(lab.started).toHaveLength(5 * 990);
    expect(Math.max(...lab.lateness)).toBeLessThanOrEqual(5);
    const wakeUps = new Set(lab.started.map(({ atMs }) => atMs));
    expect(wakeUps.size).toBeLessThan(lab.started.length / 2);
    await lab.stop();
  });

  it("reads the answers of 64 probes before it starts more, however many are due", async () => {
    let underWay = 0;
    let most = 0;
    const lab = startSchedule({
      probe: () => {
        underWay += 1;
        most = Math.max(most, underWay);
        return new Promise((resolve) => {
          setImmediate(() => {
            underWay -= 1;
            resolve(PASS);
          });
        });
      },
    });
    for (let port = 1; port <= 1_000; port += 1) lab.schedule.subscribe(target(port), 100, lab.every(60_000));
    await lab.clock.advance(200);
    expect(lab.started).toHaveLength(1_000);
    expect(most).toBe(64);
    await lab.stop();
  });

  it("never has more probes under way than allowed, and starts the longest due first", async () => {
    let underWay = 0;
    let most = 0;
    const finishers: (() => void)[] = [];
    const lab = startSchedule({
      concurrencyCount: 3,
      probe: () => {
        underWay += 1;
        most = Math.max(most, underWay);
        return new Promise((resolve) => {
          finishers.push(() => {
            underWay -= 1;
            resolve(PASS);
          });
        });
      },
    });
    for (let port = 1; port <= 10; port += 1) lab.schedule.subscribe(target(port), port, lab.every(60_000));
    await lab.clock.advance(100);
    expect(lab.started.map(({ port }) => port)).toEqual([1, 2, 3]);
    for (let round = 0; round < 10; round += 1) {
      finishers.shift()?.();
      await lab.clock.advance(5);
    }
    expect(lab.started.map(({ port }) => port)).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
    expect(most).toBe(3);
    expect(lab.lateness.at(-1)).toBeGreaterThan(90);
    await lab.stop();
  });

  it("never probes one target twice at a time, however long it takes, and numbers the rounds", async () => {
    const rounds: number[] = [];
    let finish = (): void => undefined;
    const lab = startSchedule({
      probe: () =>
        new Promise((resolve) => {
          finish = () => resolve(PASS);
        }),
    });
    lab.schedule.subscribe(target(80), 0, {
      onResult: (_result, round) => {
        rounds.push(round);
        return 1_000;
      },
    });
    await lab.clock.advance(5_000);
    expect(lab.started).toHaveLength(1);
    finish();
    await lab.clock.advance(0);
    finish();
    await lab.clock.advance(0);
    expect(lab.started.map(({ atMs }) => atMs)).toEqual([0, 5_000]);
    expect(rounds).toEqual([0, 1]);
    await lab.stop();
  });

  it("stops probing when the last subscriber leaves, and drops the answer that is under way", async () => {
    const heard: string[] = [];
    let finish = (): void => undefined;
    const lab = startSchedule({
      probe: () =>
        new Promise((resolve) => {
          finish = () => resolve(PASS);
        }),
    });
    const first = lab.schedule.subscribe(target(80), 0, { onResult: noting(heard, "first", 100) });
    const second = lab.schedule.subscribe(target(80), 0, { onResult: noting(heard, "second", 100) });
    await lab.clock.advance(0);
    first.unsubscribe();
    finish();
    await lab.clock.advance(0);
    expect(heard).toEqual(["second"]);
    await lab.clock.advance(100);
    second.unsubscribe();
    finish();
    await lab.clock.advance(10_000);
    expect(heard).toEqual(["second"]);
    expect([lab.schedule.targetCount, lab.started.length]).toEqual([0, 2]);
    await lab.stop();
  });

  it("probes out of turn on demand, then goes on from there", async () => {
    const lab = startSchedule();
    const handle = lab.schedule.subscribe(target(80), 0, lab.every(10_000));
    await lab.clock.advance(3_000);
    handle.probeNow();
    await lab.clock.advance(12_000);
    expect(lab.started.map(({ atMs }) => atMs)).toEqual([0, 3_000, 13_000]);
    await lab.stop();
  });

  it("starts a new target that is due before the one it was waiting for", async () => {
    const lab = startSchedule();
    lab.schedule.subscribe(target(1), 5_000, lab.every(10_000));
    await lab.clock.advance(100);
    lab.schedule.subscribe(target(2), 200, lab.every(10_000));
    await lab.clock.advance(400);
    expect(lab.started).toEqual([{ port: 2, atMs: 300 }]);
    await lab.stop();
  });
});
