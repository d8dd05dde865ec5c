import { readFile } from "node:fs/promises";
import { formatIpv4 } from "../foundation/index.ts";
import type { Protocol } from "../model/index.ts";

/** A socket of this machine that waits for clients. */
export interface LocalListener {
  readonly protocol: Protocol;
  /** IPv4; `0.0.0.0` also for an IPv6 socket on every address, which takes IPv4 clients too. */
  readonly ip: string;
  /** 1-65535. */
  readonly port: number;
}

const TCP_LISTEN = "0A";
const UDP_UNCONNECTED = "07";
const ANY_IPV6 = "0".repeat(32);

/** Listening sockets of this process's network namespace that IPv4 clients reach. */
export async function readLocalListeners(directory = "/proc/net"): Promise<readonly LocalListener[]> {
  const tables = [
    { file: "tcp", protocol: "TCP" },
    { file: "tcp6", protocol: "TCP" },
    { file: "udp", protocol: "UDP" },
    { file: "udp6", protocol: "UDP" },
  ] as const;
  const found = await Promise.all(
    tables.map(async ({ file, protocol }) => {
      // Without IPv6 in the kernel the tables for it do not exist.
      const text = await readFile(`${directory}/${file}`, "utf8").catch(() => "");
      return parseSocketTable(text, protocol);
    }),
  );
  return found.flat();
}

/** Listening sockets in the text of `/proc/net/tcp`, `tcp6`, `udp` or `udp6`. */
export function parseSocketTable(text: string, protocol: Protocol): LocalListener[] {
  const wanted = protocol === "TCP" ? TCP_LISTEN : UDP_UNCONNECTED;
  return text
    .split("\n")
    .slice(1)
    .flatMap((line) => {
      const [, local = "", , state] = line.trim().split(/\s+/);
      const [address = "", port = ""] = local.split(":");
      const ip = state === wanted ? ipOf(address) : undefined;
      return ip === undefined ? [] : [{ protocol, ip, port: Number.parseInt(port, 16) }];
    });
}

/** The kernel prints the four bytes as one number of the CPU's order. */
function ipOf(hex: string): string | undefined {
  if (hex === ANY_IPV6) return "0.0.0.0";
  if (hex.length !== 8) return undefined;
  const bytes = Buffer.from(hex, "hex");
  const isLittleEndian = new Uint8Array(new Uint32Array([1]).buffer)[0] === 1;
  return formatIpv4(isLittleEndian ? bytes.readUInt32LE() : bytes.readUInt32BE());
}
