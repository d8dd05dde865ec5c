import { isIP } from "node:net";

/** Where names of a server come from. */
export interface ServerNameSources {
  /** What it listens on: a name, an address, or `0.0.0.0` and `::` for all of them. */
  readonly host: string;
  readonly hostname: string;
  /** What the operator adds. */
  readonly extra: readonly string[];
  /** This machine's addresses. */
  readonly addresses: readonly string[];
}

const WILDCARDS: readonly string[] = ["0.0.0.0", "::"];
const LOCAL = ["localhost", "127.0.0.1", "::1"] as const;
const DNS_NAME = /^(\*\.)?[a-z0-9_]([-a-z0-9_]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/;

/** Every name and address by which a server may be called, the one to tell others first; the same ones in the same order. */
export function serverNames({ host, hostname, extra, addresses }: ServerNameSources): readonly string[] {
  const listened = WILDCARDS.includes(host) ? addresses.filter(isReachable).sort() : [host];
  const names = [...extra, ...listened, hostname, ...LOCAL].map((name) => name.toLowerCase());
  return [...new Set(names)].filter((name) => isIP(name) !== 0 || DNS_NAME.test(name));
}

/** Addresses that mean something beyond one link. */
function isReachable(address: string): boolean {
  return !/^(127\.|169\.254\.|fe80:|::1$)/i.test(address);
}
