import { createHash } from "node:crypto";
import { ParasausError } from "../../foundation/index.ts";
import {
  BACKUP_FORMAT,
  BACKUP_FORMAT_VERSION,
  type BackupEntry,
  type BackupHeader,
  trailerLine,
} from "./backup.ts";

/**
 * Writes a backup as JSON lines: the header, one line for each object, and a last line with their number and the SHA-256
 * of everything before it. Yields a page at a time.
 *
 * @param pages Objects in key order.
 * @throws ParasausError `Internal` when there are not as many as the header says
 */
export async function* encodeBackup(
  header: BackupHeader,
  pages: AsyncIterable<readonly BackupEntry[]>,
): AsyncGenerator<string> {
  const checksum = createHash("sha256");
  const seal = (text: string) => {
    checksum.update(text);
    return text;
  };
  let count = 0;
  yield seal(
    `${JSON.stringify({ format: BACKUP_FORMAT, formatVersion: BACKUP_FORMAT_VERSION, ...header })}\n`,
  );
  for await (const page of pages) {
    count += page.length;
    yield seal(page.map(({ key, value }) => `${JSON.stringify({ key, value })}\n`).join(""));
  }
  if (count !== header.count) {
    throw new ParasausError("Internal", `Cannot back up: ${count} objects were read, not ${header.count}`);
  }
  yield trailerLine(count, checksum.digest("hex"));
}
