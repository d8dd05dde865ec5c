import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { FakeClock, ParasausError, silentLogger } from "../foundation/index.ts";
import type { KubeObject, ResourceDefinition } from "../model/index.ts";
import { type FollowOptions, followObjects } from "./follow.ts";
import type { ListOptions, ObjectList, Resources, WatchEvent, WatchOptions } from "./resources.ts";

const definition: ResourceDefinition = {
  group: "parasaus.io",
  version: "v1",
  kind: "Pool",
  plural: "pools",
  singular: "pool",
  shortNames: [],
  categories: [],
  namespaced: true,
  writable: true,
  hasStatus: true,
  schema: {},
  selectableFields: [],
  columns: [],
  applyDefaults: (object) => object,
  validate: () => [],
};

type Step =
  | WatchEvent
  | { readonly fails: Error }
  | { readonly endsQuietly: true }
  | { readonly epoch: number };

/** Answers lists and watches from a script; a watch whose script is used up stays open. */
class ScriptedResources implements Pick<Resources, "list" | "watch"> {
  readonly asked: string[] = [];
  readonly #lists: (ObjectList | Error)[];
  readonly #watches: Step[][];

  constructor(lists: (ObjectList | Error)[], watches: Step[][]) {
    this.#lists = lists;
    this.#watches = watches;
  }

  async list(_definition: ResourceDefinition, options: ListOptions = {}): Promise<ObjectList> {
    this.asked.push(options.continue === undefined ? "list" : `list after ${options.continue}`);
    const answer = this.#lists.shift();
    if (answer === undefined) throw new Error("the script has no further list");
    if (answer instanceof Error) throw answer;
    return answer;
  }

  async *watch(_definition: ResourceDefinition, options: WatchOptions): AsyncIterable<WatchEvent> {
    this.asked.push(`watch from ${options.resourceVersion}`);
    for (const step of this.#watches.shift() ?? []) {
      if ("fails" in step) throw step.fails;
      if ("endsQuietly" in step) return;
      if ("epoch" in step) options.onEpoch?.(step.epoch);
      else yield step;
    }
    await new Promise((resolve) => options.signal.addEventListener("abort", resolve));
  }
}

const pool = (name: string, revision: number): KubeObject => ({
  apiVersion: "parasaus.io/v1",
  kind: "Pool",
  metadata: { name, namespace: "default", resourceVersion: String(revision) },
});
const list = (revision: number, ...items: KubeObject[]): ObjectList => ({
  items,
  resourceVersion: String(revision),
});
const added = (name: string, revision: number): WatchEvent => ({
  type: "ADDED",
  object: pool(name, revision),
});
const modified = (name: string, revision: number): WatchEvent => ({
  type: "MODIFIED",
  object: pool(name, revision),
});
const deleted = (name: string, revision: number): WatchEvent => ({
  type: "DELETED",
  object: pool(name, revision),
});
const bookmark = (revision: number): WatchEvent => ({ type: "BOOKMARK", resourceVersion: String(revision) });

describe("followObjects", () => {
  let stop: AbortController;
  let clock: FakeClock;
  let told: string[];
  beforeEach(() => {
    stop = new AbortController();
    clock = new FakeClock();
    told = [];
  });
  afterEach(() => stop.abort());

  const start = (resources: ScriptedResources, change: Partial<FollowOptions> = {}): Promise<void> =>
    followObjects(resources as unknown as Resources, definition, {
      onSnapshot: (objects, revision) => {
        told.push(`snapshot ${revision}: ${objects.map((object) => object.metadata.name).join(" ")}`);
      },
      onChange: ({ type, object }) => {
        told.push(`${type} ${object.metadata.name} ${object.metadata.resourceVersion}`);
      },
      onProgress: (revision) => {
        told.push(`progress ${revision}`);
      },
      signal: stop.signal,
      clock,
      logger: silentLogger,
      random: () => 1,
      ...change,
    });

  it("lists in pages, then watches from the list's revision", async () => {
    const resources = new ScriptedResources(
      [{ ...list(7, pool("a", 3)), continue: "page 2" }, list(7, pool("b", 5))],
      [[added("c", 8), modified("a", 9), deleted("b", 10), bookmark(12)]],
    );
    const following = start(resources);
    await clock.advance(0);
    expect(told).toEqual(["snapshot 7: a b", "ADDED c 8", "MODIFIED a 9", "DELETED b 10", "progress 12"]);
    expect(resources.asked).toEqual(["list", "list after page 2", "watch from 7"]);
    stop.abort();
    await expect(following).resolves.toBeUndefined();
  });

  it("resumes from the last revision without listing again when the stream breaks", async () => {
    const resources = new ScriptedResources(
      [list(7, pool("a", 3))],
      [
        [modified("a", 8), bookmark(11), { fails: new ParasausError("Unavailable", "gone") }],
        [modified("a", 12), { endsQuietly: true }],
        [],
      ],
    );
    void start(resources);
    await clock.advance(4_000);
    expect(resources.asked).toEqual(["list", "watch from 7", "watch from 11", "watch from 11"]);
    expect(told).toEqual(["snapshot 7: a", "MODIFIED a 8", "progress 11", "MODIFIED a 12"]);
  });

  it("loses nothing of a revision that was cut in half, and delivers its first half once", async () => {
    const resources = new ScriptedResources(
      [list(7, pool("a", 3), pool("b", 4))],
      [
        [modified("a", 8), { fails: new ParasausError("Unavailable", "cut") }],
        [modified("a", 8), modified("b", 8), added("c", 9)],
      ],
    );
    void start(resources);
    await clock.advance(2_000);
    expect(resources.asked).toEqual(["list", "watch from 7", "watch from 7"]);
    expect(told).toEqual(["snapshot 7: a b", "MODIFIED a 8", "MODIFIED b 8", "ADDED c 9"]);
  });

  it("lists again after 410", async () => {
    const resources = new ScriptedResources(
      [list(7, pool("a", 3)), list(20, pool("b", 19))],
      [[{ fails: new ParasausError("Expired", "too old") }], []],
    );
    void start(resources);
    await clock.advance(2_000);
    expect(told).toEqual(["snapshot 7: a", "snapshot 20: b"]);
    expect(resources.asked).toEqual(["list", "watch from 7", "list", "watch from 20"]);
  });

  it.each([
    ["goes back in revision", [modified("a", 9), modified("a", 8)], ["MODIFIED a 9"]],
    ["bookmarks a revision before its last event", [modified("a", 9), bookmark(8)], ["MODIFIED a 9"]],
    ["changes an object that never came", [modified("x", 9)], []],
    ["deletes an object that never came", [deleted("x", 9)], []],
    ["adds an object that is there", [added("a", 9)], []],
  ])("lists again and delivers nothing of a watch that %s", async (_how, events, before) => {
    const resources = new ScriptedResources([list(7, pool("a", 3)), list(30, pool("a", 9))], [events, []]);
    void start(resources);
    await clock.advance(2_000);
    expect(told).toEqual(["snapshot 7: a", ...before, "snapshot 30: a"]);
  });

  it("skips an event that is delivered twice", async () => {
    const resources = new ScriptedResources(
      [list(7, pool("a", 3))],
      [[modified("a", 9), modified("a", 9), deleted("a", 10), deleted("a", 10)]],
    );
    void start(resources);
    await clock.advance(0);
    expect(told).toEqual(["snapshot 7: a", "MODIFIED a 9", "DELETED a 10"]);
  });

  it("refuses a list that is older than what was delivered, and asks again", async () => {
    const resources = new ScriptedResources(
      [list(7, pool("a", 3)), list(5), list(9, pool("a", 8))],
      [[modified("a", 8), { fails: new ParasausError("Expired", "too old") }], []],
    );
    void start(resources);
    await clock.advance(5_000);
    expect(told).toEqual(["snapshot 7: a", "MODIFIED a 8", "snapshot 9: a"]);
  });

  it("refuses a list that is older than what its owner had before, and tells so", async () => {
    const stale: string[] = [];
    const resources = new ScriptedResources([list(5, pool("a", 3)), list(9, pool("a", 8))], [[]]);
    void start(resources, {
      notBefore: { epoch: 1, revision: "7" },
      onStale: ({ reason, message }) => void stale.push(`${reason}: ${message}`),
    });
    await clock.advance(5_000);
    expect(told).toEqual(["snapshot 9: a"]);
    expect(stale).toEqual([
      "OlderRevision: Cannot take over a list of epoch 1 at revision 5: of epoch 1 at revision 7 was delivered before. " +
        "A server that lags catches up; a store that was restored needs a higher epoch",
    ]);
  });

  it("takes over a lower revision of a higher epoch, and nothing of the one before any more", async () => {
    const stale: string[] = [];
    const second = { ...list(3, pool("b", 2)), epoch: 2 };
    const resources = new ScriptedResources(
      [list(7, pool("a", 3)), second, list(50, pool("a", 3)), { ...list(4, pool("c", 4)), epoch: 2 }],
      [
        [{ epoch: 1 }, bookmark(11), { fails: new ParasausError("Unavailable", "restored") }],
        [{ epoch: 2 }, bookmark(3)],
        [{ epoch: 2 }, { fails: new ParasausError("Expired", "too old") }],
        [],
      ],
    );
    void start(resources, { onStale: ({ reason }) => void stale.push(reason) });
    await clock.advance(10_000);
    expect(told).toEqual(["snapshot 7: a", "progress 11", "snapshot 3: b", "snapshot 4: c"]);
    expect(stale).toEqual(["OlderEpoch"]);
    expect(resources.asked.slice(0, 5)).toEqual([
      "list",
      "watch from 7",
      "watch from 11",
      "list",
      "watch from 3",
    ]);
  });

  it("goes on from its revision at another server when one lags behind it, without listing", async () => {
    const stale: string[] = [];
    const resources = new ScriptedResources(
      [list(7, pool("a", 3))],
      [
        [modified("a", 9), bookmark(11), { endsQuietly: true }],
        [{ epoch: 1 }, bookmark(8)],
        [{ epoch: 1 }, bookmark(11), modified("a", 12)],
      ],
    );
    void start(resources, { onStale: ({ reason }) => void stale.push(reason) });
    await clock.advance(5_000);
    expect(resources.asked).toEqual(["list", "watch from 7", "watch from 11", "watch from 11"]);
    expect(told).toEqual(["snapshot 7: a", "MODIFIED a 9", "progress 11", "progress 11", "MODIFIED a 12"]);
    expect(stale).toEqual(["OlderRevision"]);
  });

  it("puts no pages of different revisions together", async () => {
    const resources = new ScriptedResources(
      [{ ...list(7, pool("a", 3)), continue: "page 2" }, list(8), list(9, pool("a", 3), pool("b", 5))],
      [[]],
    );
    void start(resources);
    await clock.advance(2_000);
    expect(told).toEqual(["snapshot 9: a b"]);
  });

  it("waits longer from failure to failure, and at most 5 s", async () => {
    const failures = Array.from({ length: 8 }, () => new ParasausError("Unavailable", "no server"));
    const resources = new ScriptedResources([...failures, list(1)], []);
    void start(resources);
    const attempts: number[] = [];
    for (let second = 0; second <= 28; second += 1) {
      await clock.advance(second === 0 ? 0 : 1_000);
      attempts.push(resources.asked.length);
    }
    const times = [1, 2, 3, 4, 5, 6, 7, 8].map((count) => attempts.findIndex((asked) => asked >= count));
    expect(times).toEqual([0, 1, 3, 7, 12, 17, 22, 27]);
  });

  it("ends with the error of a callback, because retrying it would hide a bug", async () => {
    const resources = new ScriptedResources([list(7)], []);
    const failure = new Error("the follower is broken");
    const following = start(resources, {
      onSnapshot: () => {
        throw failure;
      },
    });
    await expect(following).rejects.toBe(failure);
  });
});
