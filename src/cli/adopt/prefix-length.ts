import { parseIpv4 } from "../../foundation/index.ts";

/** The leading bits of `255.255.255.0`, 24; undefined where ones follow zeros, or nothing is set. */
export function parsePrefixLength(netmask: string): number | undefined {
  const bits = parseIpv4(netmask)?.toString(2).padStart(32, "0");
  const match = /^(1+)0*$/.exec(bits ?? "");
  return match?.[1]?.length;
}
