import { afterEach } from "vitest";
import { openTestResources, type TestResources } from "./local-resources.ts";
import { describeResources } from "./resources.ts";
import type { ResourcesUnderTest } from "./resources-world.ts";

const opened: TestResources[] = [];
afterEach(async () => {
  for (const each of opened.splice(0)) await each[Symbol.asyncDispose]();
});

async function open(isCached: boolean): Promise<ResourcesUnderTest> {
  const test = await openTestResources({}, isCached);
  opened.push(test);
  return {
    resources: test.resources,
    pass: (ms) => test.clock.advance(ms),
    forgetHistory: async () => test.store.compact(await test.store.revision()),
    reopen: async () => {
      await test.reopen();
      return test.resources;
    },
  };
}

describeResources("local", () => open(false));
describeResources("local, over a watch cache", () => open(true));
