import { ParasausError } from "../../foundation/index.ts";

/** The refusal to open a damaged data file, in the words an operator finds in docs/reference/store.md. */
export function corrupt(file: string, reason: string, cause: unknown): ParasausError {
  return new ParasausError("StoreCorrupt", `Cannot open the store "${file}": ${reason}`, { cause });
}
