import { mkdir, open, rename, rm } from "node:fs/promises";
import path from "node:path";

/** Characters collected before they go to disk: small writes, and the event loop gets its turn in between. */
const CHUNK_CHARACTERS = 256 * 1024;

/**
 * Replaces a file whole, or not at all: written beside, flushed, renamed. Its owner alone may read it; its directory is made
 * when needed.
 *
 * @throws what the file system throws
 */
export async function replaceFile(file: string, parts: Iterable<string>): Promise<void> {
  await mkdir(path.dirname(file), { recursive: true, mode: 0o700 });
  const beside = `${file}.new`;
  // One that an earlier run left behind might be readable by others.
  await rm(beside, { force: true });
  await writeParts(beside, parts);
  await rename(beside, file);
}

async function writeParts(file: string, parts: Iterable<string>): Promise<void> {
  await using handle = await open(file, "wx", 0o600);
  let chunk = "";
  for (const part of parts) {
    chunk += part;
    if (chunk.length < CHUNK_CHARACTERS) continue;
    await handle.writeFile(chunk);
    chunk = "";
  }
  await handle.writeFile(chunk);
  await handle.datasync();
}
