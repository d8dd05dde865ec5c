import { mkdir, open, readFile, rename } from "node:fs/promises";
import path from "node:path";
import { ParasausError } from "../foundation/index.ts";
import type { KeptEntry } from "./desired-state.ts";
import { decodeSnapshot, encodeSnapshot, type Snapshot, type SnapshotHeader } from "./snapshot-format.ts";

/** Characters collected before they go to disk: small writes, and the event loop gets its turn in between. */
const CHUNK_CHARACTERS = 256 * 1024;

/** The node's last-known-good state on disk. */
export interface SnapshotFile {
  readonly path: string;
  /**
   * Reads it. @returns undefined when there is none
   *
   * @throws ParasausError `Invalid` when it is corrupt, of a newer format or another node's; it is kept aside as `.refused`
   */
  read(nodeName: string): Promise<Snapshot | undefined>;
  /** Replaces it whole, or not at all: written beside, flushed, renamed. */
  write(header: SnapshotHeader, entries: Iterable<KeptEntry>): Promise<void>;
}

/** The snapshot file in a directory, which is made when needed. */
export function snapshotFileIn(directory: string): SnapshotFile {
  const file = path.join(directory, "last-good.jsonl");
  return {
    path: file,
    read: (nodeName) => readSnapshot(file, nodeName),
    async write(header, entries) {
      await mkdir(directory, { recursive: true, mode: 0o700 });
      const beside = `${file}.new`;
      await writeLines(beside, encodeSnapshot(header, entries));
      await rename(beside, file);
    },
  };
}

async function readSnapshot(file: string, nodeName: string): Promise<Snapshot | undefined> {
  const text = await readFile(file, "utf8").catch((cause: NodeJS.ErrnoException) => {
    if (cause.code === "ENOENT") return undefined;
    throw new ParasausError("Invalid", `Cannot start from the snapshot: reading "${file}" failed`, { cause });
  });
  if (text === undefined) return undefined;
  try {
    return decodeSnapshot(text, nodeName);
  } catch (failure) {
    await rename(file, `${file}.refused`);
    throw failure;
  }
}

async function writeLines(file: string, lines: Iterable<string>): Promise<void> {
  await using handle = await open(file, "w", 0o600);
  let chunk = "";
  for (const line of lines) {
    chunk += line;
    if (chunk.length < CHUNK_CHARACTERS) continue;
    await handle.writeFile(chunk);
    chunk = "";
  }
  await handle.writeFile(chunk);
  await handle.datasync();
}
