import { existsSync } from "node:fs";
import { type Guest, type GuestKind, type GuestOptions, startGuest, writeInit } from "./guest.ts";

const KERNEL = "/usr/bin/linux.uml";

/** Its root is the host's file system: what it writes there stays. */
export interface UmlOptions extends GuestOptions {
  /** Image files on the host, in the guest `/dev/ubda`, `/dev/ubdb`, ... */
  readonly disks?: readonly string[];
}

/** Why no guest can be booted here, for the names of skipped tests; empty when one can. */
export function missingForUml(): string {
  if (process.getuid?.() !== 0) return " (skipped: user-mode-linux tests need root)";
  return existsSync(KERNEL) ? "" : " (skipped: user-mode-linux is not installed)";
}

/** Boots Debian's user-mode-linux: kernel 6.1, one CPU, no BTF, no JIT, no NAT by nftables. */
export function startUml(options: UmlOptions, folder: string): Guest {
  writeInit(folder, "/usr/lib/uml/modules");
  return startGuest([KERNEL, ...bootParameters(options, folder)], options, folder);
}

/** The guest that boots and computes fast. */
export const UML: GuestKind = { name: "user-mode-linux", missing: missingForUml, start: startUml };

function bootParameters({ memoryMiB = 900, disks = [] }: UmlOptions, folder: string): string[] {
  return [
    `mem=${memoryMiB}M`,
    ...["root=/dev/root", "rootfstype=hostfs", "rootflags=/", "rw", `init=${folder}/init`],
    ...["con0=fd:0,fd:1", "con=null", "quiet", `uml_dir=${folder}`, "umid=guest"],
    ...disks.map((image, index) => `ubd${index}=${image}`),
  ];
}
