import { expect, it } from "vitest";
import type { Operation } from "../../model/index.ts";
import { changesOf, stateAt } from "./state-at.ts";

const NOW = "2026-01-01T00:00:00Z";
const WEB = { apiVersion: "parasaus.io/v1", kind: "Pool", namespace: "shop", name: "web", uid: "u" };
const operation = (
  revision: number,
  before: unknown,
  after: unknown,
  more: Partial<Operation["spec"]> = {},
): Operation => ({
  apiVersion: "parasaus.io/v1",
  kind: "Operation",
  metadata: { name: `operation-${revision}` },
  spec: {
    ...{ operator: "ann", time: NOW, verb: "update", object: WEB, before, after, ...more },
    revision: String(revision),
  },
});
const at = (operations: readonly Operation[], revision: number) =>
  stateAt(changesOf(operations, WEB), BigInt(revision));

it("finds what an object was right after a revision, also between two of its own", () => {
  const operations = [operation(9, { a: 1 }, { a: 2 }), operation(5, undefined, { a: 1 })];
  expect([4, 5, 8, 9, 99].map((revision) => at(operations, revision))).toEqual([
    { kind: "absent" },
    { kind: "known", state: { a: 1 } },
    { kind: "known", state: { a: 1 } },
    { kind: "known", state: { a: 2 } },
    { kind: "known", state: { a: 2 } },
  ]);
});

it("before the first operation that is kept, takes what that one found", () => {
  expect(at([operation(9, { a: 1 }, { a: 2 })], 3)).toEqual({ kind: "known", state: { a: 1 } });
});

it("calls absent what was deleted, also while it waited for its last finalizer", () => {
  const held = { metadata: { deletionTimestamp: "2026-01-01T00:00:00Z" } };
  expect(at([operation(9, { a: 1 }, undefined)], 9)).toEqual({ kind: "absent" });
  expect(at([operation(9, { a: 1 }, held)], 9)).toEqual({ kind: "absent" });
});

it("counts revisions as numbers however long they are", () => {
  const operations = [operation(100, { a: 1 }, { a: 2 }), operation(99, undefined, { a: 1 })];
  expect(at(operations, 99)).toEqual({ kind: "known", state: { a: 1 } });
});

it("takes part in what was changed together with another object, and in no login or refusal", () => {
  const service = { ...WEB, kind: "Service" };
  const together = operation(
    7,
    { s: 1 },
    { s: 2 },
    { object: service, also: [{ object: WEB, before: { a: 1 }, after: { a: 3 } }] },
  );
  expect(at([together, operation(8, undefined, undefined, { verb: "refuse" })], 9)).toEqual({
    kind: "known",
    state: { a: 3 },
  });
  expect(at([], 9)).toEqual({ kind: "unrecorded" });
});
