import fc from "fast-check";
import { expect, it } from "vitest";
import type { StoreWrite } from "../../../store/index.ts";
import type { BackupEntry } from "../../backup/index.ts";
import { intoTransactions, planRestore } from "./plan-restore.ts";

const entries = fc
  .dictionary(fc.stringMatching(/^[a-e]{1,3}$/), fc.constantFrom("1", "2"))
  .map((values) => Object.entries(values).map(([key, value]) => ({ key, value })))
  .map((list) => list.sort((a, b) => (a.key < b.key ? -1 : 1)));

function apply(present: readonly BackupEntry[], writes: readonly StoreWrite[]): Map<string, string> {
  const result = new Map(present.map(({ key, value }) => [key, value]));
  for (const write of writes) {
    if (write.kind === "put") result.set(write.key, write.value);
    else result.delete(write.key);
  }
  return result;
}

it("leaves exactly what is wanted, and writes nothing that is right already", () => {
  fc.assert(
    fc.property(entries, entries, (present, wanted) => {
      const writes = [...planRestore(present, wanted)];
      expect(apply(present, writes)).toEqual(new Map(wanted.map(({ key, value }) => [key, value])));
      const before = new Map(present.map(({ key, value }) => [key, value]));
      const needless = writes.filter(
        (write) => write.kind === "put" && before.get(write.key) === write.value,
      );
      expect(needless).toEqual([]);
    }),
  );
});

it("goes on where it was interrupted: what is written once is not written again", () => {
  fc.assert(
    fc.property(entries, entries, fc.nat(20), (present, wanted, done) => {
      const writes = [...planRestore(present, wanted)];
      const half = [...apply(present, writes.slice(0, done))].map(([key, value]) => ({ key, value }));
      half.sort((a, b) => (a.key < b.key ? -1 : 1));
      expect([...planRestore(half, wanted)]).toEqual(writes.slice(done));
    }),
  );
});

it("cuts transactions at 100 writes and at a million bytes, and lets one large write be one", () => {
  const put = (bytes: number, key: string): StoreWrite => ({ kind: "put", key, value: "x".repeat(bytes) });
  const small = Array.from({ length: 250 }, (_, index) => put(10, `k${index}`));
  expect([...intoTransactions(small)].map((batch) => batch.length)).toEqual([100, 100, 50]);
  const large = [put(600_000, "a"), put(600_000, "b"), put(1_200_000, "c"), put(1, "d")];
  expect([...intoTransactions(large)].map((batch) => batch.map(({ key }) => key).join(""))).toEqual([
    "a",
    "b",
    "c",
    "d",
  ]);
});
