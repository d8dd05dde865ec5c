import { expect, it } from "vitest";
import { type BackupHeader, checkBackup, decodeBackup, encodeBackup } from "./index.ts";

const header: BackupHeader = {
  version: "1.2.3",
  revision: "57",
  epoch: 1,
  time: "2026-01-02T03:04:05Z",
  count: 3,
};
const entries = [
  { key: "/parasaus/registry/a", value: '{"name":"a"}' },
  { key: "/parasaus/registry/b", value: '{"name":"\\u00fc\\n合页"}' },
  { key: "/parasaus/registry/c", value: "{}" },
];

async function* pages(...all: (typeof entries)[]) {
  yield* all;
}

async function write(of: BackupHeader = header, ...all: (typeof entries)[]): Promise<string> {
  const pieces: string[] = [];
  for await (const piece of encodeBackup(of, pages(...all))) pieces.push(piece);
  return pieces.join("");
}

async function* inPieces(text: string, length: number): AsyncGenerator<Uint8Array> {
  const bytes = Buffer.from(text);
  for (let at = 0; at < bytes.length; at += length) yield bytes.subarray(at, at + length);
}

const refusal = (text: string): Promise<string> =>
  checkBackup(inPieces(text, 64), "x.backup").then(
    () => "taken",
    (failure: Error) => failure.message,
  );

it.each([1, 7, 1_000_000])("reads what it wrote, in pieces of %i bytes", async (length) => {
  const text = await write(header, entries.slice(0, 2), entries.slice(2));
  const backup = await decodeBackup(inPieces(text, length), "x.backup");
  expect(backup).toEqual({ header, entries, sha256: expect.stringMatching(/^[0-9a-f]{64}$/) });
});

it("is JSON lines that other tools can read", async () => {
  const lines = (await write(header, entries)).trimEnd().split("\n");
  expect(lines.map((line) => Object.keys(JSON.parse(line))[0])).toEqual([
    "format",
    "key",
    "key",
    "key",
    "end",
  ]);
});

it("does not end a backup that lacks objects", async () => {
  await expect(write(header, entries.slice(1))).rejects.toThrow("2 objects were read, not 3");
});

it("says what is wrong with a file that it does not take", async () => {
  const text = await write(header, entries);
  const lines = text.split("\n");
  const refuse = (why: string) => `Cannot use the backup "x.backup": ${why}`;
  const notOurs = refuse("it is no backup of Parasaus");
  expect(await refusal("")).toBe(notOurs);
  expect(await refusal("kind: Pool\nmetadata: {}\n")).toBe(notOurs);
  expect(await refusal("x".repeat(10_000))).toBe(notOurs);
  expect(await refusal('{"format":"parasaus-snapshot","version":1}\n')).toBe(notOurs);
  expect(await refusal(text.replace('"formatVersion":1', '"formatVersion":2'))).toBe(
    refuse("its format is version 2, this program reads 1"),
  );
  expect(await refusal(lines.slice(0, 3).join("\n"))).toBe(refuse("it is cut short after 2 of 3 objects"));
  expect(await refusal(lines.slice(0, 2).join("\n").slice(0, -5))).toBe(
    refuse("it is damaged: line 2 is not what was written"),
  );
  expect(await refusal([lines[0], lines[2], lines[1], ...lines.slice(3)].join("\n"))).toBe(
    refuse("it is damaged: line 3 is not what was written"),
  );
  const unfit = refuse("it is damaged, or cut short: its checksum does not fit its content");
  expect(await refusal(text.replace('"epoch":1', '"epoch":2'))).toBe(unfit);
  expect(await refusal(`${text}\n`)).toBe(unfit);
  expect(await refusal(text + text)).toBe(unfit);
  expect(await refusal(text)).toBe("taken");
});
