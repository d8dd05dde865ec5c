import type { Logger } from "../../foundation/index.ts";
import { readSysctl, writeSysctl } from "../../linux/index.ts";
import type { ServiceTable, TableTimeouts } from "./table.ts";

/** Which settings of the kernel the promises need, and why. */
export interface NeededSettings {
  /** Pools pick members by hash: a node that takes over another one's flows may then adopt them without a SYN. */
  readonly adoptsFlows: boolean;
  /** Members of a pool see the node's address. */
  readonly masquerades: boolean;
  /** A pool has addresses of IPv6. */
  readonly hasIpv6: boolean;
}

/** nf_tables translates those connections only that the kernel's connection tracking knows. */
export const CONNTRACK = "net.ipv4.vs.conntrack";

/** Settings of the kernel, as sysctl(8) names them, with the values that they shall have. */
export function wantedSysctls({
  adoptsFlows,
  masquerades,
  hasIpv6,
}: NeededSettings): Readonly<Record<string, string>> {
  return {
    "net.ipv4.ip_forward": "1",
    // A router takes no route from advertisements any more, unless accept_ra is 2: not without need.
    ...(hasIpv6 ? { "net.ipv6.conf.all.forwarding": "1" } : {}),
    // Flows of a member that is gone end at once; otherwise they hang until they time out.
    "net.ipv4.vs.expire_nodest_conn": "1",
    // Session affinity does not hold on to a member that takes no new flows.
    "net.ipv4.vs.expire_quiescent_template": "1",
    // A client that uses its port again gets a new flow.
    "net.ipv4.vs.conn_reuse_mode": "1",
    "net.ipv4.vs.sloppy_tcp": adoptsFlows ? "1" : "0",
    "net.ipv4.vs.sloppy_sctp": adoptsFlows ? "1" : "0",
    ...(masquerades ? { [CONNTRACK]: "1" } : {}),
  };
}

/**
 * Sets what is not as wanted and reads it back.
 *
 * @throws ParasausError `KernelError` when the kernel refuses one or keeps another value
 */
export function bringSysctls(wanted: Readonly<Record<string, string>>, logger: Logger): void {
  for (const [name, value] of Object.entries(wanted)) {
    const found = readSysctl(name);
    // Older kernels lack some of them.
    if (found === undefined || found === value) continue;
    writeSysctl(name, value);
    logger.info("setting of the kernel changed", { sysctl: name, before: found, value });
  }
}

/** The present values of those settings that the kernel has. */
export function presentSysctls(names: readonly string[]): Readonly<Record<string, string>> {
  return Object.fromEntries(
    names.flatMap((name) => {
      const value = readSysctl(name);
      return value === undefined ? [] : [[name, value]];
    }),
  );
}

/** The name under which the record keeps the time-outs, which are no sysctl. */
export const TIMEOUTS = "timeouts";

/** Sets the idle times after which the kernel forgets a connection, unless they are right. */
export function bringTimeouts(table: ServiceTable, wanted: TableTimeouts): void {
  const found = table.readTimeouts();
  const isRight =
    found.establishedSeconds === wanted.establishedSeconds &&
    found.closingSeconds === wanted.closingSeconds &&
    found.datagramSeconds === wanted.datagramSeconds;
  if (!isRight) table.writeTimeouts(wanted);
}
