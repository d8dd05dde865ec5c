import { afterEach, beforeEach, expect, it } from "vitest";
import { FakeClock, ParasausError, silentLogger } from "../../foundation/index.ts";
import type { Condition, KubeObject, Node } from "../../model/index.ts";
import { watchNodeSilence } from "./node-silence.ts";

const HEARD = Date.parse("2026-01-01T00:00:00Z");

let clock: FakeClock;
let ending: AbortController;
let ended: Promise<void>;
let stored: Node;
let heardAtMs: number;
let writes: string[];
let trouble: ParasausError | undefined;

function nodeWith(...conditions: readonly Condition[]): Node {
  return {
    ...{
      apiVersion: "parasaus.io/v1",
      kind: "Node",
      metadata: { name: "n1", resourceVersion: "7" },
      spec: {},
    },
    status: { heartbeat: new Date(HEARD).toISOString(), conditions },
  } as Node;
}

const condition = (type: string, status: Condition["status"], reason: string): Condition => ({
  ...{ type, status, reason, message: "" },
  lastTransitionTime: "2025-01-01T00:00:00Z",
});

beforeEach(() => {
  clock = new FakeClock(new Date(HEARD));
  ending = new AbortController();
  stored = nodeWith(condition("Synced", "True", "Following"), condition("Ready", "True", "Forwarding"));
  heardAtMs = HEARD;
  writes = [];
  trouble = undefined;
  ended = watchNodeSilence({
    resources: {
      list: async () => {
        if (trouble) throw trouble;
        return { items: [stored as KubeObject], resourceVersion: "9", remainingItemCount: 0 };
      },
      update: async (_reference, object) => {
        const { status } = object as Node;
        writes.push((status?.conditions ?? []).map((each) => `${each.type}=${each.status}`).join(" "));
        stored = object as Node;
        return stored;
      },
    },
    heartbeats: async () => new Map([["n1", { atMs: heardAtMs }]]),
    ...{ clock, logger: silentLogger, signal: ending.signal },
  });
});
afterEach(async () => {
  ending.abort();
  await ended;
});

/** Time in which the node is heard of every 10 s, or not. */
async function pass(seconds: number, isHeard: boolean): Promise<void> {
  for (let second = 1; second <= seconds; second += 1) {
    await clock.advance(1_000);
    if (isHeard && second % 10 === 0) heardAtMs = clock.now().getTime();
  }
}

it("writes nothing while a node is heard of", async () => {
  await pass(300, true);
  expect(writes).toEqual([]);
});

it("writes once that a node is silent, and leaves its other conditions alone", async () => {
  await pass(60, true);
  await pass(38, false);
  expect(writes).toEqual([]);
  await pass(600, false);
  expect(writes).toEqual(["Synced=True Ready=Unknown"]);
  expect(stored.status?.conditions?.[1]).toMatchObject({
    reason: "NodeStatusUnknown",
    message: "Not heard of since 2026-01-01T00:01:00Z",
  });
});

it("writes again when a node that came back falls silent again", async () => {
  await pass(60, false);
  expect(writes).toHaveLength(1);
  stored = nodeWith(condition("Ready", "True", "Forwarding"));
  heardAtMs = clock.now().getTime();
  await pass(60, true);
  expect(writes).toHaveLength(1);
  await pass(60, false);
  expect(writes).toEqual(["Synced=True Ready=Unknown", "Ready=Unknown"]);
});

it("says of nobody that he is silent for what happened while the store was away, or before it began to listen", async () => {
  await pass(30, false);
  trouble = new ParasausError("Unavailable", "the store is away");
  await pass(300, false);
  trouble = undefined;
  await pass(38, false);
  expect(writes).toEqual([]);
  // The control: it does when it has listened long enough.
  await pass(20, false);
  expect(writes).toHaveLength(1);
});

it("takes no wall clock for silence", async () => {
  // The servers that hear the node have clocks that are an hour behind, or ahead.
  heardAtMs = HEARD + 3_600_000;
  await pass(30, false);
  heardAtMs += 1;
  await pass(38, false);
  expect(writes).toEqual([]);
});

it("leaves a Node alone that never said whether it is ready", async () => {
  stored = nodeWith();
  await pass(120, false);
  expect(writes).toEqual([]);
});
