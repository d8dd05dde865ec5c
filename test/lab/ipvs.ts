import { hasCode } from "../../src/foundation/index.ts";
import { openIpvs } from "../../src/linux/index.ts";
import { canMakeNamespaces } from "./namespaces.ts";

/** Why IPVS cannot be tested here, for the names of skipped tests; empty when it can. */
export function missingForIpvs(): string {
  if (!canMakeNamespaces()) return " (skipped: IPVS tests need root and network namespaces)";
  try {
    openIpvs()[Symbol.dispose]();
    return "";
  } catch (failure) {
    if (hasCode(failure, "KernelUnsupported")) return " (skipped: this kernel has no IPVS)";
    throw failure;
  }
}
