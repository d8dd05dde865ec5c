import { describe } from "vitest";
import { missingForPrograms } from "./programs.ts";

const missing = missingForPrograms();

/** `describe`, skipped by name where programs cannot be loaded. */
export function describePrograms(name: string, define: () => void): void {
  if (missing === undefined) describe(name, define);
  else describe.skip(`${name} (skipped: ${missing})`, define);
}
