import { existsSync, rmSync } from "node:fs";
import path from "node:path";
import type { IpvsDriverOptions } from "../../src/dataplane/ipvs/index.ts";
import { type ForwardingWorld, openForwardingWorld } from "./forwarding-world.ts";
import { canMakeNamespaces, runProgram } from "./namespaces.ts";

/** Where drivers keep their records. */
export const IPVS_RECORDS = "/run/parasaus/ipvs";

/** Why IPVS cannot be tested here; empty when it can. Goes into the names of skipped tests. */
export function missingForIpvs(): string {
  if (!canMakeNamespaces()) return " (skipped: needs root and network namespaces)";
  if (existsSync("/proc/net/ip_vs")) return "";
  try {
    runProgram("modprobe", ["ip_vs"]);
    return "";
  } catch {
    return " (skipped: this kernel has no ip_vs)";
  }
}

/** Why `fullnat` cannot be tested with IPVS here; empty when it can. */
export function missingForMasquerading(): string {
  const missing = missingForIpvs();
  if (missing) return missing;
  try {
    runProgram("modprobe", ["--all", "nft_chain_nat", "nft_masq", "nft_ct"]);
    return "";
  } catch {
    return " (skipped: this kernel has no NAT by nftables)";
  }
}

/** What the IPVS driver is opened with. */
export type IpvsWorldOptions = Partial<IpvsDriverOptions> & {
  readonly node: string;
  readonly driver: "ipvs";
};

/** Clients, a node that forwards with IPVS, and members, all real. */
export type IpvsWorld = ForwardingWorld<IpvsWorldOptions>;

/** Opens it; disposing it removes the namespaces, with which the node's services go. */
export function openIpvsWorld(change: Partial<IpvsDriverOptions> = {}, memberCount = 4): Promise<IpvsWorld> {
  return openForwardingWorld<IpvsWorldOptions>(
    memberCount,
    (node) => ({ node, driver: "ipvs", ...change }),
    ({ node }) => {
      for (const end of ["jsonl", "adopt.json"])
        rmSync(path.join(IPVS_RECORDS, `${node}.${end}`), { force: true });
    },
  );
}
