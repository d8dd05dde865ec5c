import { FORWARDING_CAPABILITIES, missingCapabilities } from "../../linux/index.ts";

/** What this process may not do that programming the kernel takes, as half a sentence; undefined = nothing. */
export function missingRights(): string | undefined {
  if (process.platform !== "linux") return undefined;
  const missing = missingCapabilities();
  if (missing.length === 0) return undefined;
  const needed = FORWARDING_CAPABILITIES.join(", ");
  const lacking = missing.length === FORWARDING_CAPABILITIES.length ? needed : missing.join(", ");
  return `this process lacks ${lacking}; run it as root, or with exactly ${needed}`;
}
