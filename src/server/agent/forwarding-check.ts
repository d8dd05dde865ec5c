import { existsSync } from "node:fs";
import type { Configuration } from "../../configuration/index.ts";
import type { Terminal } from "../../foundation/index.ts";
import { ebpfObjectFile } from "./open-driver.ts";

/** What forwarding lacks on this machine, as far as can be told without touching the kernel; undefined = nothing. */
export function reasonNotToForward(
  { driver }: Configuration,
  { isRoot, self }: Terminal,
): string | undefined {
  if (driver === "memory") return "the memory driver forwards nothing";
  if (!isRoot) return "only root can program the kernel; start it with sudo";
  const objectFile = ebpfObjectFile(self.at(-1) ?? "");
  if (!existsSync(objectFile)) return `the eBPF programs are not built (${objectFile}); run npm run setup`;
  return undefined;
}
