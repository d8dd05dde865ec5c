import { closeSync, constants, existsSync, openSync, readFileSync, writeSync } from "node:fs";
import path from "node:path";
import { ParasausError } from "../../foundation/index.ts";
import { crc32c } from "./crc32c.ts";

/**
 * A second witness of the last committed revision, outside the data file.
 *
 * LMDB chooses between two roots by a number in the file; one flipped bit there makes yesterday's root look like
 * today's, and everything in it is consistent. The witness is written after each commit and never ahead of the disk
 * (its own loss only makes it older), so a data file that is behind it has lost acknowledged writes.
 */
export interface Head extends Disposable {
  write(revision: number): void;
}

/**
 * Opens or makes the witness in `directory`.
 *
 * @param stored The revision that the data file is at.
 * @throws ParasausError `StoreCorrupt` when the data file is behind the witness
 */
export function openHead(directory: string, stored: number): Head {
  const file = path.join(directory, "head");
  const revision = existsSync(file) ? readRevision(readFileSync(file, "latin1")) : 0;
  if (revision > stored) {
    throw new ParasausError(
      "StoreCorrupt",
      `Cannot open the store in "${directory}": it is at revision ${stored}, but ${revision} was acknowledged`,
    );
  }
  const descriptor = openSync(file, constants.O_RDWR | constants.O_CREAT, 0o600);
  return {
    write: (next) => {
      writeSync(descriptor, line(next), 0, "latin1");
    },
    [Symbol.dispose]: () => closeSync(descriptor),
  };
}

function line(revision: number): string {
  const number = String(revision).padStart(16, "0");
  return `${number} ${crc32c(Buffer.from(number)).toString(16).padStart(8, "0")}\n`;
}

function readRevision(text: string): number {
  const revision = Number(text.slice(0, 16));
  return Number.isSafeInteger(revision) && line(revision) === text ? revision : 0;
}
