import { appendFileSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import type { PoolEntry } from "./programme.ts";
import { openRecord, readRecord, recordFileFor } from "./record.ts";

const KERNEL = "boot-1 4026531840";
let folder: string;
let file: string;
beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), "parasaus-record-"));
  file = recordFileFor({ node: "edge.1", recordFolder: folder });
});
afterEach(() => rmSync(folder, { recursive: true }));

function entryOf(uid: string): PoolEntry {
  const pool = {
    uid,
    addresses: [],
    scheduler: "rr" as const,
    forwarding: "nat" as const,
    affinitySeconds: 0,
    members: [],
  };
  return { pool, lingersAt: ["TCP 10.0.0.1:80"] };
}

it("holds of each thing what was said last", () => {
  const record = openRecord(file, KERNEL);
  record.append([
    { uid: "a", entry: entryOf("a") },
    { uid: "b", entry: entryOf("b") },
  ]);
  record.append([{ nodeAddresses: ["10.0.0.1"] }, { leaving: ["TCP 10.0.0.1:80", "TCP 10.0.0.1:81"] }]);
  record.append([{ uid: "a", entry: null }, { left: ["TCP 10.0.0.1:80"] }, { original: { "net.x": "0" } }]);
  for (const recorded of [record.recorded, openRecord(file, KERNEL).recorded]) {
    expect([...recorded.entries]).toEqual([["b", entryOf("b")]]);
    expect(recorded.nodeAddresses).toEqual(["10.0.0.1"]);
    expect([...recorded.leaving]).toEqual(["TCP 10.0.0.1:81"]);
    expect(recorded.original).toEqual({ "net.x": "0" });
  }
});

it("ignores half a line that a killed process left, and goes on after it", () => {
  openRecord(file, KERNEL).append([{ uid: "a", entry: entryOf("a") }]);
  appendFileSync(file, '{"uid":"b","ent');
  openRecord(file, KERNEL).append([{ uid: "c", entry: entryOf("c") }]);
  expect([...openRecord(file, KERNEL).recorded.entries.keys()]).toEqual(["a", "c"]);
});

it("owns nothing after another boot or in another network namespace", () => {
  openRecord(file, KERNEL).append([{ uid: "a", entry: entryOf("a") }]);
  expect(readRecord(file, "boot-2 4026531840")).toBeUndefined();
  expect(openRecord(file, "boot-2 4026531840").recorded.entries.size).toBe(0);
});

it("refuses a file of a later program instead of taking its services for somebody else's", () => {
  appendFileSync(file, `{"format":2,"kernel":"${KERNEL}"}\n`);
  expect(() => openRecord(file, KERNEL)).toThrow("format 2");
  expect(() => readRecord(file, KERNEL)).toThrow("format 2");
});

it("is written anew when most of its lines are of no use any more, and is not when it is opened", () => {
  const record = openRecord(file, KERNEL);
  for (let round = 0; round < 21; round += 1) {
    record.append(Array.from({ length: 1000 }, () => ({ uid: "a", entry: entryOf("a") })));
  }
  const text = readFileSync(file, "utf8");
  expect(text.split("\n").length).toBeLessThan(2000);
  openRecord(file, KERNEL);
  expect(readFileSync(file, "utf8")).toBe(text);
});

it("is whole again with the next change after somebody removed the file", () => {
  const record = openRecord(file, KERNEL);
  record.append([{ uid: "a", entry: entryOf("a") }]);
  rmSync(file);
  record.append([{ uid: "b", entry: entryOf("b") }]);
  expect([...openRecord(file, KERNEL).recorded.entries.keys()]).toEqual(["a", "b"]);
});
