import { existsSync } from "node:fs";
import type { Configuration } from "../../configuration/index.ts";
import type { Terminal } from "../../foundation/index.ts";
import { missingRights } from "./missing-rights.ts";
import { ebpfObjectFile } from "./open-driver.ts";

/** There when IPVS is loaded. */
const IPVS_FILE = "/proc/net/ip_vs";

/** What forwarding lacks on this machine, as far as can be told without touching the kernel; undefined = nothing. */
export function reasonNotToForward({ driver }: Configuration, { self }: Terminal): string | undefined {
  if (driver === "memory") return "the memory driver forwards nothing";
  const lacking = missingRights();
  if (lacking !== undefined) return lacking;
  if (driver === "ipvs" || (driver === "auto" && existsSync(IPVS_FILE))) return undefined;
  const objectFile = ebpfObjectFile(self.at(-1) ?? "");
  if (!existsSync(objectFile)) return `the eBPF programs are not built (${objectFile}); run npm run setup`;
  return undefined;
}
