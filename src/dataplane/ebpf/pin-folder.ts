import type { EbpfDriverOptions } from "./options.ts";

/** `LAYOUT_VERSION` of `bpf/include/layout.h`. */
const LAYOUT_VERSION = 1;

/** The node's own folder in bpffs, which takes no dots in names. */
export function pinFolderFor(options: Pick<EbpfDriverOptions, "node" | "pinRoot">): string {
  const root = options.pinRoot ?? "/sys/fs/bpf/parasaus";
  return `${root}/${options.node.replace(/[^A-Za-z0-9_-]/g, "_")}/v${LAYOUT_VERSION}`;
}
