import { afterEach } from "vitest";
import { describeConfirmations } from "./confirmations.ts";
import { openTestResources, type TestResources } from "./local-resources.ts";

let opened: TestResources[] = [];
afterEach(async () => {
  for (const each of opened) await each[Symbol.asyncDispose]();
  opened = [];
});

describeConfirmations("embedded", async () => {
  const test = await openTestResources();
  opened.push(test);
  return { store: () => test.store, reopen: () => test.reopen() };
});
