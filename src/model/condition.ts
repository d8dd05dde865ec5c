import type { Condition } from "./object.ts";

/** Conditions that are bad news when they are true; all others when they are false. */
const BAD_WHEN_TRUE: ReadonlySet<string> = new Set([
  "DriverDraining",
  "DriverFallback",
  "ForeignServices",
  "LocalListener",
  "InvalidAnnotation",
  "NoAddressPool",
  "PoolNameTaken",
  "PoolRefused",
  "ShrinkHeld",
]);

/** Whether a condition says that something is wrong. */
export function isBadNews({ type, status }: Pick<Condition, "type" | "status">): boolean {
  return status === (BAD_WHEN_TRUE.has(type) ? "True" : "False");
}
