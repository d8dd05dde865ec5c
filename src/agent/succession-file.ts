import { readFile, rm } from "node:fs/promises";
import path from "node:path";
import { replaceFile } from "./replace-file.ts";

/** Since when a driver leaves what is new to another one. */
export interface SuccessionNote {
  /** Name of the driver that had forwarded before. */
  readonly from: string;
  /** ISO 8601. */
  readonly since: string;
}

/** Keeps the note over restarts of the agent. */
export interface SuccessionFile {
  /** @returns undefined where there is none, or none that can be read */
  read(): Promise<SuccessionNote | undefined>;
  write(note: SuccessionNote): Promise<void>;
  remove(): Promise<void>;
}

/** The file in a directory, which is made when needed. */
export function successionFileIn(directory: string): SuccessionFile {
  const file = path.join(directory, "driver-change.json");
  return {
    read: async () => parseNote(await readFile(file, "utf8").catch(() => "null")),
    write: (note) => replaceFile(file, [`${JSON.stringify(note)}\n`]),
    remove: () => rm(file, { force: true }),
  };
}

function parseNote(text: string): SuccessionNote | undefined {
  try {
    const { from, since } = JSON.parse(text) as SuccessionNote;
    return Number.isNaN(Date.parse(since)) ? undefined : { from, since };
  } catch {
    return undefined;
  }
}
