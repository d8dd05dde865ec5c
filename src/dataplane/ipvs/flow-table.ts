import { readFileSync } from "node:fs";
import { canonicalIpv6, formatIpv4 } from "../../foundation/index.ts";
import { PROTOCOLS } from "../../model/index.ts";
import type { FlowExplanation, FlowTuple } from "../driver.ts";

/** One line of the kernel's table of connections. */
export interface TableFlow {
  readonly tuple: FlowTuple;
  readonly memberIp: string;
  /** 1-65535. */
  readonly memberPort: number;
  readonly state: FlowExplanation["state"];
  /** Until the kernel forgets it unless a packet comes, seconds. */
  readonly expiresSeconds: number;
}

const FILE = "/proc/net/ip_vs_conn";

/** The names of `net/netfilter/ipvs/ip_vs_proto_tcp.c`, `_udp.c` and `_sctp.c`. */
const STATES: Readonly<Record<string, FlowExplanation["state"]>> = {
  SYN_SENT: "half-open",
  SYN_RECV: "half-open",
  SYNACK: "half-open",
  ESTABLISHED: "established",
  UDP: "established",
  FIN_WAIT: "closing",
  TIME_WAIT: "closing",
  CLOSE_WAIT: "closing",
  LAST_ACK: "closing",
  CLOSE: "closed",
  INIT1: "half-open",
  INIT: "half-open",
  "C-SENT": "half-open",
  "C-REPLIED": "half-open",
  "C-WAIT": "half-open",
  COOKIE: "half-open",
  "C-ECHOED": "half-open",
  "S-SENT": "closing",
  "S-RECEIVED": "closing",
  "S-ACK-SENT": "closing",
  REJECTED: "closed",
  CLOSED: "closed",
};

/** Every flow that the kernel's table holds; templates of persistence are not among them. */
export function readFlowTable(): readonly TableFlow[] {
  return parseFlowTable(readFileSync(FILE, "latin1"));
}

/** Reads what `/proc/net/ip_vs_conn` says. */
export function parseFlowTable(text: string): readonly TableFlow[] {
  return text.split("\n").flatMap((line) => parseLine(line) ?? []);
}

function parseLine(line: string): TableFlow | undefined {
  const [name, clientIp = "", clientPort, ip = "", port, memberIp = "", memberPort, state = "", expires] =
    line.trim().split(/\s+/);
  const protocol = PROTOCOLS.find((each) => each === name);
  const named = STATES[state];
  if (protocol === undefined || named === undefined) return undefined;
  return {
    tuple: {
      protocol,
      clientIp: ipOf(clientIp),
      clientPort: numberOf(clientPort),
      ip: ipOf(ip),
      port: numberOf(port),
    },
    memberIp: ipOf(memberIp),
    memberPort: numberOf(memberPort),
    state: named,
    expiresSeconds: Number(expires),
  };
}

/** Addresses of IPv6 stand there with all their digits. */
function ipOf(text: string): string {
  return text.includes(":") ? (canonicalIpv6(text) ?? text) : formatIpv4(numberOf(text));
}

function numberOf(hexadecimal = ""): number {
  return Number.parseInt(hexadecimal, 16);
}
