import { spawnSync } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, describe, expect, it } from "vitest";

const root = path.dirname(path.dirname(fileURLToPath(import.meta.url)));
const GATE_TIMEOUT_MS = 30_000;
let tree = "";

beforeEach(() => {
  tree = mkdtempSync(path.join(tmpdir(), "parasaus-gate-"));
  for (const file of [
    ".dependency-cruiser.mjs",
    "tsconfig.json",
    "package.json",
    "scripts/check-boundaries.mjs",
  ]) {
    cpSync(path.join(root, file), path.join(tree, file), { recursive: true });
  }
  symlinkSync(path.join(root, "node_modules"), path.join(tree, "node_modules"));
});

afterEach(() => rmSync(tree, { recursive: true, force: true }));

function plant(file: string, text: string): void {
  mkdirSync(path.dirname(path.join(tree, file)), { recursive: true });
  writeFileSync(path.join(tree, file), text);
}

function boundaries(): { readonly failed: boolean; readonly output: string } {
  const run = spawnSync(process.execPath, ["scripts/check-boundaries.mjs"], { cwd: tree, encoding: "utf8" });
  return { failed: run.status !== 0, output: run.stdout + run.stderr };
}

/** Enough files that the gate does not complain about looking at too few. */
function plantHarmlessFiles(): void {
  for (let number = 0; number < 30; number += 1) {
    plant(`src/model/file-${number}.ts`, `export const number${number} = ${number};\n`);
  }
}

describe("the boundaries gate", () => {
  it("passes a tree without violations, so that a failure means something", {
    timeout: GATE_TIMEOUT_MS,
  }, () => {
    plantHarmlessFiles();
    expect(boundaries()).toEqual({ failed: false, output: "" });
  });

  it.each([
    [
      "a room that imports a room outside its row",
      "src/model/planted.ts",
      'import "../store/index.ts";\n',
      "room-model",
    ],
    [
      "a way past a room's front door",
      "src/server/planted.ts",
      'import "../store/secret.ts";\n',
      "rooms-are-entered-by-their-front-door",
    ],
    ["native code outside its room", "src/agent/planted.ts", 'import "koffi";\n', "native-code-in-one-place"],
    [
      "production code that imports a test",
      "src/model/planted.ts",
      'import "./some.test.ts";\n',
      "no-production-import-of-tests",
    ],
    ["a cycle", "src/model/planted.ts", 'import "./other.ts";\nexport const a = 1;\n', "no-circular"],
  ])("fails on %s", { timeout: GATE_TIMEOUT_MS }, (_what, file, text, rule) => {
    plantHarmlessFiles();
    plant("src/store/index.ts", "export const store = 1;\n");
    plant("src/store/secret.ts", "export const secret = 1;\n");
    plant("src/model/some.test.ts", "export const test = 1;\n");
    plant("src/model/other.ts", 'import "./planted.ts";\n');
    plant(file, text);
    const { failed, output } = boundaries();
    expect(failed).toBe(true);
    expect(output).toContain(rule);
  });

  it("fails when it looked at hardly any file: a green gate that reads nothing", {
    timeout: GATE_TIMEOUT_MS,
  }, () => {
    plant("src/model/one.ts", "export const one = 1;\n");
    expect(boundaries()).toMatchObject({ failed: true });
  });
});
