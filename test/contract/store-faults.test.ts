import { execFileSync, spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { once } from "node:events";
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { type ErrorCode, ParasausError, silentLogger, systemClock } from "../../src/foundation/index.ts";
import { openEmbeddedStore } from "../../src/store/embedded/index.ts";
import type { Store } from "../../src/store/index.ts";
import { seeded } from "../lab/random.ts";

const KILLS = Number(process.env["PARASAUS_STORE_KILLS"] ?? 4);
const FLIPS = Number(process.env["PARASAUS_STORE_FLIPS"] ?? 30);
const WRITER = path.join(import.meta.dirname, "../lab/store-writer.ts");
const isRoot = process.getuid?.() === 0;

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(path.join(tmpdir(), "parasaus-store-"));
});
afterEach(() => rmSync(directory, { recursive: true, force: true }));

const open = (at = directory, more: { reserveBytes?: number } = {}) =>
  openEmbeddedStore({ directory: at, clock: systemClock, logger: silentLogger, ...more });

async function codeOf(promise: Promise<unknown>): Promise<ErrorCode | undefined> {
  try {
    await promise;
    return undefined;
  } catch (failure) {
    if (failure instanceof ParasausError) return failure.code;
    throw failure;
  }
}

const put = (key: string, value: string) => ({ kind: "put", key, value }) as const;

describe("kill -9", () => {
  it(
    `loses no acknowledged write, invents none, in ${KILLS} kills under load`,
    async () => {
      const acknowledged: string[] = [];
      for (let round = 0; round < KILLS; round += 1) acknowledged.push(...(await writeUntilKilled(round)));
      await using store = await open();
      const { entries } = await store.range("/");
      const stored = new Map(entries.map(({ key, value }) => [key, value]));
      const lost = acknowledged.filter((key) => stored.get(key) !== `value of ${key}`);
      process.stdout.write(`kill -9: ${acknowledged.length} acknowledged, ${lost.length} lost\n`);
      expect(acknowledged.length).toBeGreaterThan(KILLS * 200);
      expect(lost).toEqual([]);
      // Each kill may leave one write of each of the 8 writers stored but not acknowledged.
      expect(stored.size - acknowledged.length).toBeLessThanOrEqual(KILLS * 8);
    },
    KILLS * 20_000,
  );
});

/** Starts the writer and kills it in the middle of its work. @returns the keys that it saw acknowledged. */
async function writeUntilKilled(round: number): Promise<string[]> {
  const child = spawn(process.execPath, ["--import", "tsx", WRITER, directory, String(round)], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  let output = "";
  child.stdout.setEncoding("utf8").on("data", (chunk: string) => {
    output += chunk;
    // About 40 bytes of output for every acknowledged key; each round is killed at another place.
    if (output.length > 5_000 + round * 1_700) child.kill("SIGKILL");
  });
  await once(child, "close");
  const end = output.lastIndexOf("\n");
  return output.slice(0, end).split("\n");
}

const hasStrace = existsSync("/usr/bin/strace");

it.skipIf(!hasStrace)("syncs the disk before each acknowledgement (needs strace)", () => {
  const trace = path.join(directory, "trace");
  const program = [
    process.execPath,
    "--import",
    "tsx",
    WRITER,
    path.join(directory, "store"),
    "0",
    "1",
    "40",
  ];
  execFileSync("strace", ["-f", "-o", trace, "-e", "trace=fdatasync,write", ...program]);
  const events = readFileSync(trace, "utf8")
    .split("\n")
    .flatMap((line) =>
      /fdatasync.*= 0/.test(line) ? ["sync"] : /write\(1, "\/0\//.test(line) ? ["answer"] : [],
    );
  const answers = events.flatMap((event, index) => (event === "answer" ? [index] : []));
  expect(answers).toHaveLength(40);
  for (const index of answers) expect(events[index - 1]).toBe("sync");
});

describe("damage", () => {
  /** A store with values, changes and deletes, and what it should read like. */
  async function fill(): Promise<Map<string, string>> {
    await using store = await open();
    const expected = new Map<string, string>();
    for (let index = 0; index < 120; index += 1) {
      const key = `/pool-${index % 60}`;
      const value = `${index}:`.padEnd(50 + ((index * 97) % 3_000), "x");
      await store.transact([], index % 7 === 3 ? [{ kind: "delete", key }] : [put(key, value)]);
      if (index % 7 === 3) expected.delete(key);
      else expected.set(key, value);
    }
    return expected;
  }

  it(
    `reads no wrong value after any of ${FLIPS} single bit flips, and overwrites nothing`,
    async () => {
      const expected = await fill();
      const file = path.join(directory, "store.mdb");
      const whole = readFileSync(file);
      const random = seeded(20261122);
      let refusedCount = 0;
      for (let flip = 0; flip < FLIPS; flip += 1) {
        const damaged = Buffer.from(whole);
        const bit = Math.floor(random.next() * whole.length * 8);
        damaged[bit >> 3] = (damaged[bit >> 3] ?? 0) ^ (1 << (bit & 7));
        const copy = path.join(directory, `flip-${flip}`);
        mkdirSync(copy);
        writeFileSync(path.join(copy, "store.mdb"), damaged);
        cpSync(path.join(directory, "head"), path.join(copy, "head"));
        const outcome = await openDamaged(copy, expected);
        if (outcome === "refused") {
          refusedCount += 1;
          expect(hashOf(readFileSync(path.join(copy, "store.mdb")))).toBe(hashOf(damaged));
        }
        rmSync(copy, { recursive: true });
      }
      process.stdout.write(
        `bit flips: ${FLIPS}, refused ${refusedCount}, harmless ${FLIPS - refusedCount}, silent 0\n`,
      );
      expect(refusedCount).toBeGreaterThan(FLIPS / 10);
    },
    60_000 + FLIPS * 5_000,
  );

  it.each([
    ["cut in half", (file: string) => truncateSync(file, Math.floor(readFileSync(file).length / 2))],
    ["cut to nothing but its first page", (file: string) => truncateSync(file, 4_096)],
    ["overwritten with text", (file: string) => writeFileSync(file, "not a database\n".repeat(5_000))],
    ["an older copy of itself", (file: string) => cpSync(`${file}.older`, file)],
  ])("refuses a data file that is %s", async (_, damage) => {
    const file = path.join(directory, "store.mdb");
    const older = await open();
    await older.transact([], [put("/old", "1")]);
    await older[Symbol.asyncDispose]();
    cpSync(file, `${file}.older`);
    await fill();
    damage(file);
    const before = hashOf(readFileSync(file));
    expect(await codeOf(open())).toBe("StoreCorrupt");
    expect(hashOf(readFileSync(file))).toBe(before);
    expect(await codeOf(open())).toBe("StoreCorrupt");
  });
});

/** Opens a damaged copy: it must be refused, or read exactly as it was written, history included. */
async function openDamaged(
  copy: string,
  expected: ReadonlyMap<string, string>,
): Promise<"refused" | "harmless"> {
  let store: Store;
  try {
    store = await open(copy);
  } catch (failure) {
    if (failure instanceof ParasausError && failure.code === "StoreCorrupt") return "refused";
    throw failure;
  }
  const { entries, revision } = await store.range("/");
  expect(new Map(entries.map(({ key, value }) => [key, value]))).toEqual(new Map([...expected].sort()));
  expect((await store.range("/", { revision: 2 })).entries).toHaveLength(1);
  expect(revision).toBeGreaterThan(100);
  await store[Symbol.asyncDispose]();
  return "harmless";
}

describe("a full disk", () => {
  it.skipIf(!isRoot)(
    "refuses writes with StorageFull, goes on reading, and writes again when there is room",
    async () => {
      execFileSync("mount", ["-t", "tmpfs", "-o", "size=24m", "parasaus-store-test", directory]);
      try {
        const filler = path.join(directory, "filler");
        writeFileSync(filler, Buffer.alloc(8_000_000));
        await using store = await open(directory, { reserveBytes: 4_000_000 });
        const written: string[] = [];
        const value = "x".repeat(50_000);
        let code: ErrorCode | undefined;
        while (!code) {
          const key = `/${written.length}`;
          code = await codeOf(store.transact([], [put(key, value)]));
          if (!code) written.push(key);
        }
        expect(code).toBe("StorageFull");
        expect((await store.range("/")).count).toBe(written.length);
        expect(await codeOf(store.transact([], [put("/0", "2")]))).toBe("StorageFull");
        rmSync(filler);
        expect(await codeOf(store.transact([], [put("/again", "1")]))).toBeUndefined();
        await store[Symbol.asyncDispose]();
        await using again = await open(directory, { reserveBytes: 0 });
        expect((await again.range("/")).count).toBe(written.length + 1);
      } finally {
        execFileSync("umount", [directory]);
      }
    },
  );

  it.skipIf(!isRoot)(
    "loses nothing acknowledged when the kernel itself says that the disk is full",
    async () => {
      execFileSync("mount", ["-t", "tmpfs", "-o", "size=8m", "parasaus-store-test", directory]);
      try {
        await using store = await open(directory, { reserveBytes: 0 });
        const acknowledged: string[] = [];
        const attempts = Array.from({ length: 300 }, (_, index) => `/${index}`).map(async (key) => {
          const code = await codeOf(store.transact([], [put(key, "x".repeat(50_000))]));
          if (code === undefined) acknowledged.push(key);
          return code;
        });
        const codes = new Set(await Promise.all(attempts));
        expect([...codes].filter((code) => code !== undefined)).toEqual(["StorageFull"]);
        expect((await store.range("/")).count).toBe(acknowledged.length);
        await store[Symbol.asyncDispose]();
        await using again = await open(directory, { reserveBytes: 0 });
        expect((await again.range("/")).entries.map(({ key }) => key)).toEqual([...acknowledged].sort());
      } finally {
        execFileSync("umount", [directory]);
      }
    },
  );
});

it("says which directory it cannot use, and why", async () => {
  const file = path.join(directory, "a-file");
  writeFileSync(file, "");
  const failure = await open(file).catch((error: unknown) => error);
  expect(failure).toMatchObject({ code: "Unavailable", message: expect.stringContaining(`"${file}"`) });
});

describe("one process only", () => {
  it("names the process that has the store open", async () => {
    await using store = await open();
    const failure = await open().catch((error: unknown) => error);
    expect(failure).toMatchObject({
      code: "Unavailable",
      message: expect.stringContaining(`process ${process.pid} (`),
    });
    expect(await store.get("/a")).toBeUndefined();
  });

  it("does not count a process that is gone, nor one that only has its number", async () => {
    const bootId = readFileSync("/proc/sys/kernel/random/boot_id", "utf8").trim();
    const gone = { pid: 4_194_305, startTicks: "1", bootId, pidNamespace: "", command: "parasaus up" };
    const reused = { pid: process.pid, startTicks: "1", bootId, pidNamespace: "", command: "parasaus up" };
    for (const holder of [gone, reused]) {
      const { pidNamespace } = JSON.parse(await lockOfRunningStore());
      writeFileSync(path.join(directory, "lock"), JSON.stringify({ ...holder, pidNamespace }));
      const store = await open();
      await store[Symbol.asyncDispose]();
    }
  });

  async function lockOfRunningStore(): Promise<string> {
    await using _store = await open();
    return readFileSync(path.join(directory, "lock"), "utf8");
  }
});

function hashOf(bytes: Buffer): string {
  return createHash("sha256").update(bytes).digest("hex");
}
