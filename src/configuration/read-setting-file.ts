import { readFileSync } from "node:fs";
import { ParasausError } from "../foundation/index.ts";

/**
 * The text of a file that a setting names.
 *
 * @param flag The setting as users write it: `--tls-cert`.
 * @throws ParasausError `Usage` when it cannot be read
 */
export function readSettingFile(file: string, flag: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch (cause) {
    throw new ParasausError("Usage", `Cannot read ${flag} "${file}": ${(cause as Error).message}`, { cause });
  }
}
