import { readFile, rename } from "node:fs/promises";
import path from "node:path";
import { ParasausError } from "../foundation/index.ts";
import type { KeptEntry } from "./desired-state.ts";
import { replaceFile } from "./replace-file.ts";
import { decodeSnapshot, encodeSnapshot, type Snapshot, type SnapshotHeader } from "./snapshot-format.ts";

/** The node's last-known-good state on disk. */
export interface SnapshotFile {
  readonly path: string;
  /**
   * Reads it. @returns undefined when there is none
   *
   * @throws ParasausError `Invalid` when it is corrupt, of a newer format or another node's; it is kept aside as `.refused`
   */
  read(nodeName: string): Promise<Snapshot | undefined>;
  /** Replaces it whole, or not at all. */
  write(header: SnapshotHeader, entries: Iterable<KeptEntry>): Promise<void>;
}

/** The snapshot file in a directory, which is made when needed. */
export function snapshotFileIn(directory: string): SnapshotFile {
  const file = path.join(directory, "last-good.jsonl");
  return {
    path: file,
    read: (nodeName) => readSnapshot(file, nodeName),
    write: (header, entries) => replaceFile(file, encodeSnapshot(header, entries)),
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
