import { type IpFamily, parseIpv4 } from "../../foundation/index.ts";

const IPV6_BITS = 128;

/** The leading bits of `255.255.255.0`, 24, and of IPv6's `64`; undefined where ones follow zeros, or nothing is set. */
export function parsePrefixLength(netmask: string, family: IpFamily): number | undefined {
  if (family === 6) {
    const length = /^[1-9]\d{0,2}$/.test(netmask) ? Number(netmask) : 0;
    return length >= 1 && length <= IPV6_BITS ? length : undefined;
  }
  const bits = parseIpv4(netmask)?.toString(2).padStart(32, "0");
  const match = /^(1+)0*$/.exec(bits ?? "");
  return match?.[1]?.length;
}
