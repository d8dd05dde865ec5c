import { describe, expect, it } from "vitest";
import { hasCode } from "../../foundation/index.ts";
import { ORIGINAL_EPOCH } from "./epoch.ts";
import { ResourceVersions } from "./resource-versions.ts";

const codeOf = (read: () => unknown): string | undefined => {
  try {
    read();
    return undefined;
  } catch (failure) {
    return ["BadRequest", "Expired"].find((code) => hasCode(failure, code as "Expired"));
  }
};

describe("in a store that nothing was restored into", () => {
  const versions = new ResourceVersions(ORIGINAL_EPOCH);

  it("are the store's revisions", () => {
    expect(versions.of(57)).toBe("57");
    expect([versions.revisionOf("57"), versions.revisionOf("0"), versions.revisionOf("")]).toEqual([
      57, 0, 0,
    ]);
  });

  it.each(["x", "-1", "1.5", "99999999999999999999"])("refuses %j", (version) => {
    expect(codeOf(() => versions.revisionOf(version))).toBe("BadRequest");
  });
});

describe("after a restore", () => {
  const versions = new ResourceVersions({ offset: 1_000_000, firstRevision: 12 });

  it("begin above all that were given out before, and come back as the same revision", () => {
    expect(versions.of(12)).toBe("1000012");
    expect(versions.revisionOf("1000012")).toBe(12);
    expect(versions.revisionOf("0")).toBe(0);
  });

  it.each(["1", "57", "999999", "1000011"])("refuses %j, which is from before", (version) => {
    expect(codeOf(() => versions.revisionOf(version))).toBe("Expired");
  });
});
