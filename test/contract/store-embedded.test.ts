import { expect, it } from "vitest";
import { hasCode, silentLogger } from "../../src/foundation/index.ts";
import { openEmbeddedStore } from "../../src/store/embedded/index.ts";
import { reopening } from "./reopened-store.ts";
import { describeStore } from "./store.ts";
import { describeStoreModel } from "./store-model.ts";

const open = reopening((directory, clock) => openEmbeddedStore({ directory, clock, logger: silentLogger }));

describeStore("embedded", open);
describeStoreModel("embedded", open);

it("forgets by itself what is older than 10 minutes and 10,000 revisions, and nothing younger", async () => {
  const { store, pass } = await open();
  const first = await store.revision();
  const write = (value: string) => store.transact([], [{ kind: "put", key: "/n", value }]);
  await Promise.all(Array.from({ length: 10_500 }, (_, index) => write(String(index))));
  await pass(9 * 60_000);
  expect((await store.range("/", { revision: first + 1 })).entries[0]?.value).toBe("0");
  const isForgotten = (revision: number) =>
    store.range("/", { revision }).then(
      () => false,
      (failure: unknown) => hasCode(failure, "Expired"),
    );
  await pass(3 * 60_000);
  await expect.poll(() => isForgotten(first + 499), { timeout: 20_000 }).toBe(true);
  expect((await store.range("/", { revision: first + 500 })).entries[0]?.value).toBe("499");
});

it("makes writes that come together in the order in which they came", async () => {
  const { store } = await open();
  const results = await Promise.all(
    Array.from({ length: 3_000 }, (_, index) =>
      store.transact([], [{ kind: "put", key: "/n", value: String(index) }]),
    ),
  );
  const first = results[0]?.revision ?? 0;
  expect(results.map(({ revision }) => revision - first)).toEqual(results.map((_, index) => index));
});
