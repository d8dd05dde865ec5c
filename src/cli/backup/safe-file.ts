import { type FileHandle, open, rename, rm } from "node:fs/promises";
import path from "node:path";
import { ParasausError } from "../../foundation/index.ts";

/** Writes a piece of a file. */
export type WritePiece = (piece: Uint8Array) => Promise<void>;

/**
 * Writes a file that is there whole or not at all, whatever happens: under a temporary name first, flushed to disk, then
 * renamed. Nobody but its owner may read it. A file of that name is replaced.
 *
 * @param fill Writes the content; when it throws, nothing is left behind.
 * @throws ParasausError `Unavailable` when the disk refuses, and whatever `fill` throws
 */
export async function writeSafely<Value>(
  file: string,
  fill: (write: WritePiece) => Promise<Value>,
): Promise<Value> {
  const folder = path.dirname(file);
  const draft = path.join(folder, `.${path.basename(file)}.${process.pid}.part`);
  try {
    const value = await withFile(draft, "wx", (handle) => fill((piece) => handle.writeFile(piece)));
    await rename(draft, file);
    // The name is on disk only when its folder is.
    await withFile(folder, "r", () => Promise.resolve());
    return value;
  } catch (failure) {
    await rm(draft, { force: true });
    throw explain(file, failure);
  }
}

async function withFile<Value>(
  file: string,
  flags: "wx" | "r",
  work: (handle: FileHandle) => Promise<Value>,
): Promise<Value> {
  const handle = await open(file, flags, 0o600);
  try {
    const value = await work(handle);
    await handle.sync();
    return value;
  } finally {
    await handle.close();
  }
}

function explain(file: string, failure: unknown): unknown {
  const { code, message } = failure as NodeJS.ErrnoException;
  if (failure instanceof ParasausError || typeof code !== "string") return failure;
  return new ParasausError("Unavailable", `Cannot write "${file}": ${message}`, { cause: failure });
}
