import { readFileSync, statSync } from "node:fs";

/** Names this boot of the kernel and this network namespace. */
export function kernelName(): string {
  const boot = readFileSync("/proc/sys/kernel/random/boot_id", "utf8").trim();
  return `${boot} ${statSync("/proc/self/ns/net").ino}`;
}
