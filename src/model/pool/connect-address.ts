import { formatHostPort } from "../../foundation/index.ts";
import type { ConnectAddress } from "./pool.ts";

/** Last port of a connect address, 1-65535: of one that is no range, its only one. */
export function lastPortOf({ port, lastPort = port }: Pick<ConnectAddress, "port" | "lastPort">): number {
  return lastPort;
}

/** A connect address without its protocol: `10.0.0.1:80`, `10.0.0.1:30000-30009`, `*:40796`. */
export function formatConnectAddress({ ip, port, lastPort }: Omit<ConnectAddress, "protocol">): string {
  return `${formatHostPort(ip, port)}${lastPort === undefined ? "" : `-${lastPort}`}`;
}
