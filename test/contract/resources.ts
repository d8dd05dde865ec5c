import { describe } from "vitest";
import { describeReading } from "./resources-reading.ts";
import { describeRecords } from "./resources-records.ts";
import type { ResourcesUnderTest } from "./resources-world.ts";
import { describeWriting } from "./resources-writing.ts";

/** Every Resources must pass this; the local and the remote one run the same list. */
export function describeResources(name: string, open: () => Promise<ResourcesUnderTest>): void {
  describe(`Resources contract: ${name}`, () => {
    describeWriting(open);
    describeReading(open);
    describeRecords(open);
  });
}
