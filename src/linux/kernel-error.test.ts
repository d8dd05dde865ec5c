import { describe, expect, it } from "vitest";
import { checkResult, errnoName, errnoOf, kernelError } from "./kernel-error.ts";

describe("kernelError", () => {
  it("names what was tried, the errno and what it means", () => {
    expect(kernelError('write map "flow"', 7)).toMatchObject({
      code: "KernelError",
      message: 'Cannot write map "flow": E2BIG (the table is full)',
    });
  });

  it("is KernelUnsupported where the kernel lacks the function or does not let us", () => {
    expect([1, 38, 95, 93, 524].map((errno) => kernelError("x", errno).code)).toEqual(
      Array.from({ length: 5 }, () => "KernelUnsupported"),
    );
    expect(errnoName(524)).toBe("ENOTSUPP");
  });

  it("appends what else the kernel said", () => {
    expect(kernelError("load", 13, "R1 invalid mem access").message).toContain(": R1 invalid mem access");
  });

  it("keeps the errno for callers that decide on it", () => {
    expect(errnoOf(kernelError("x", 19))).toBe(19);
    expect(errnoOf(new Error("other"))).toBeUndefined();
  });
});

describe("checkResult", () => {
  it("returns counts and throws on negative errno values", () => {
    expect(checkResult(3, "x")).toBe(3);
    expect(() => checkResult(-2, "open it")).toThrow("Cannot open it: ENOENT");
  });
});
