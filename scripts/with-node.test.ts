import { spawnSync } from "node:child_process";
import { describe, expect, it } from "vitest";

const [major = ""] = process.versions.node.split(".");
const withNode = (...words: readonly string[]) =>
  spawnSync(process.execPath, ["scripts/with-node.mjs", ...words], { encoding: "utf8" });

describe("with-node", () => {
  it("runs the command under the version, with its arguments as they are", () => {
    const script = "console.log(process.versions.node, ...process.argv.slice(1))";
    expect(withNode(major, "--", "node", "-e", script, "--", "a b", "$c")).toMatchObject({
      status: 0,
      stdout: `${process.versions.node} a b $c\n`,
    });
  });

  it("ends as the command ends, so that a failed suite fails", () => {
    expect(withNode(major, "--", "node", "-e", "process.exit(7)").status).toBe(7);
    expect(withNode(major, "--", "node", "-e", "process.kill(process.pid, 'SIGKILL')").status).toBe(137);
    expect(withNode(major, "--", "no-such-program").status).toBe(127);
  });

  it.each([
    ["no version", ["--", "node"]],
    ["something else than a version", ["latest; rm", "--", "node"]],
    ["no command", [major, "--"]],
    ["a command without the dashes", [major, "node"]],
  ])("refuses %s", (_what, words) => {
    expect(withNode(...words)).toMatchObject({ status: 2, stderr: expect.stringMatching(/^Usage: /) });
  });
});
