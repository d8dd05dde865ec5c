import type { RecordPlace } from "./record.ts";

/** The name of our tables in nf_tables: of kind `inet` for marks, of kinds `ip` and `ip6` for masquerading. */
export function ownTableFor({ node }: RecordPlace): string {
  return `parasaus_${node.replace(/[^A-Za-z0-9]/g, "_")}`.slice(0, 200);
}
