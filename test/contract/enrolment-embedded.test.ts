import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, expect, it } from "vitest";
import { silentLogger, systemClock } from "../../src/foundation/index.ts";
import { hashToken } from "../../src/pki/index.ts";
import { createEnrolmentToken } from "../../src/server/security/enrolment-tokens.ts";
import { openEmbeddedStore } from "../../src/store/embedded/index.ts";
import type { Store } from "../../src/store/index.ts";
import { describeEnrolment } from "./enrolment.ts";

let directory: string;
let store: Store;

async function open(): Promise<Store> {
  directory = mkdtempSync(path.join(tmpdir(), "parasaus-enrolment-"));
  store = await openEmbeddedStore({ directory, clock: systemClock, logger: silentLogger });
  return store;
}
afterEach(async () => {
  await store[Symbol.asyncDispose]();
  rmSync(directory, { recursive: true });
});

describeEnrolment("the embedded store", open);

it("leaves no token on the disk", async () => {
  await open();
  const options = { nodeName: "n1", lifetimeMs: 60_000, now: new Date() };
  const { secret } = await createEnrolmentToken(store, options);
  const file = readFileSync(path.join(directory, "store.mdb"), "latin1");
  expect(file).not.toContain(secret);
  // The control: what is there is found.
  expect(file).toContain(hashToken(secret));
});
