import { existsSync } from "node:fs";
import path from "node:path";
import type { EbpfDriverOptions } from "../../src/dataplane/ebpf/index.ts";
import { uninstallEbpf } from "../../src/dataplane/ebpf/index.ts";
import { type ForwardingWorld, openForwardingWorld } from "./forwarding-world.ts";
import { canMakeNamespaces } from "./namespaces.ts";

export const BPF_OBJECT = path.resolve("bpf/build/parasaus.bpf.o");

/** Why eBPF cannot be tested here; empty when it can. Goes into the names of skipped tests. */
export function missingForEbpf(): string {
  if (!canMakeNamespaces()) return " (skipped: needs root and network namespaces)";
  return existsSync(BPF_OBJECT) ? "" : " (skipped: bpf/build/parasaus.bpf.o is not built)";
}

/** What the eBPF driver is opened with. */
export type EbpfWorldOptions = Partial<EbpfDriverOptions> & { readonly node: string };

/** Clients, a node that forwards with eBPF, and members, all real. */
export type EbpfWorld = ForwardingWorld<EbpfWorldOptions>;

/** Opens it; disposing it removes namespaces and pins. */
export function openEbpfWorld(change: Partial<EbpfDriverOptions> = {}, memberCount = 4): Promise<EbpfWorld> {
  return openForwardingWorld<EbpfWorldOptions>(
    memberCount,
    (node) => ({ node, objectFile: BPF_OBJECT, localClients: "off" as const, ...change }),
    uninstallEbpf,
  );
}
