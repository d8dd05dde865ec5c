import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import type { Logger } from "../../foundation/index.ts";
import { type OwnershipRecord, openRecord } from "./record.ts";
import { FakeTable } from "./service-table.fixture.ts";
import { bringDaemons, stopDaemons, wantedDaemons } from "./sync.ts";

const SYNC = { device: "eth0", id: 7, group: "224.0.0.81", port: 8848, ttl: 1 };
const QUIET: Logger = {
  debug: () => undefined,
  info: () => undefined,
  warn: () => undefined,
  error: () => undefined,
  child: () => QUIET,
};
let folder: string;
let table: FakeTable;
let record: OwnershipRecord;
beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), "parasaus-sync-"));
  table = new FakeTable();
  record = reopen();
});
afterEach(() => rmSync(folder, { recursive: true }));

function reopen(): OwnershipRecord {
  return openRecord(path.join(folder, "n1.jsonl"), "boot-1 1");
}

function bring(sync?: typeof SYNC): readonly string[] {
  return bringDaemons(table, record, wantedDaemons(sync), QUIET);
}

it("starts a daemon that tells and one that listens, and then has nothing to do, after a restart too", () => {
  expect(bring(SYNC)).toEqual([]);
  expect(table.daemonChanges).toEqual(["start master", "start backup"]);
  record = reopen();
  expect(bring(SYNC)).toEqual([]);
  expect(table.daemonChanges).toHaveLength(2);
});

it("starts again what somebody stopped", () => {
  bring(SYNC);
  table.daemons.delete("backup");
  expect(bring(SYNC)).toEqual([]);
  expect(table.daemonChanges).toEqual(["start master", "start backup", "start backup"]);
});

it("replaces its own when the option changes, and ends them when it goes", () => {
  bring(SYNC);
  bring({ ...SYNC, device: "eth1" });
  expect([...table.daemons.values()].map(({ device }) => device)).toEqual(["eth1", "eth1"]);
  bring();
  expect(table.daemons.size).toBe(0);
  expect(record.recorded.daemons).toEqual([]);
});

it("names somebody else's and leaves it alone, even one that is just as wanted", () => {
  table.daemons.set("master", { state: "master", ...SYNC });
  const named = ["sync daemon master on eth0 (id 7, 224.0.0.81:8848, ttl 1)"];
  expect(bring(SYNC)).toEqual(named);
  expect(bring()).toEqual(named);
  expect(table.daemonChanges).toEqual(["start backup", "stop backup"]);
  stopDaemons(table, record.recorded.daemons);
  expect([...table.daemons.keys()]).toEqual(["master"]);
});

it("takes one for somebody else's that was put in the place of its own", () => {
  bring(SYNC);
  table.daemons.set("master", { state: "master", ...SYNC, id: 9 });
  expect(bring(SYNC)).toEqual(["sync daemon master on eth0 (id 9, 224.0.0.81:8848, ttl 1)"]);
  stopDaemons(table, record.recorded.daemons);
  expect([...table.daemons.values()].map(({ state, id }) => [state, id])).toEqual([["master", 9]]);
});

it("owns nothing that the kernel refused to start", () => {
  expect(() => bring({ ...SYNC, device: "missing" })).toThrow("ENODEV");
  expect(reopen().recorded.daemons).toEqual([]);
});
