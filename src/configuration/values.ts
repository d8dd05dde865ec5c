import { isIP, isIPv4 } from "node:net";
import { ParasausError } from "../foundation/index.ts";

/** Turns the text of a setting into its value. @throws ParasausError `Usage` with what was expected */
export type ValueReader<Value> = (text: string) => Value;

/** A host and a port to listen on. */
export interface ListenAddress {
  /** Name or address, without brackets. */
  readonly host: string;
  /** 0-65535; 0 = any free one. */
  readonly port: number;
}

/** Any text, as it is. */
export const text: ValueReader<string> = (value) => value;

/** Text that is either given or absent. */
export const optionalText: ValueReader<string | undefined> = (value) => (value === "" ? undefined : value);

/** `true` or `false`; YAML's and systemd's spellings are accepted. */
export const truth: ValueReader<boolean> = (value) => {
  if (/^(true|yes|on|1)$/i.test(value)) return true;
  if (/^(false|no|off|0)$/i.test(value)) return false;
  throw wrong(value, "true or false");
};

/** One of a closed list. */
export function oneOf<const Word extends string>(words: readonly Word[]): ValueReader<Word> {
  return (value) => {
    const found = words.find((word) => word === value);
    if (found === undefined) throw wrong(value, `one of ${words.join(", ")}`);
    return found;
  };
}

/** Comma-separated items, each read by `item`; empty = none. */
export function listOf<Value>(item: ValueReader<Value>): ValueReader<readonly Value[]> {
  return (value) =>
    value
      .split(",")
      .map((part) => part.trim())
      .filter((part) => part !== "")
      .map(item);
}

/** A whole number within bounds. */
export function wholeNumber(least: number, most: number): ValueReader<number> {
  return (value) => {
    const number = /^\d+$/.test(value) ? Number(value) : Number.NaN;
    if (!(number >= least && number <= most)) throw wrong(value, `a whole number from ${least} to ${most}`);
    return number;
  };
}

/** `host:port`; IPv6 in brackets. */
export const listenAddress: ValueReader<ListenAddress> = (value) => {
  const match = /^(?:\[([^\]]+)\]|([^:[\]]+)):(\d{1,5})$/.exec(value);
  const host = match?.[1] ?? match?.[2];
  const port = Number(match?.[3]);
  const bracketed = match?.[1] !== undefined;
  if (host === undefined || port > 65_535 || (bracketed && isIP(host) !== 6)) {
    throw wrong(value, "HOST:PORT, e.g. 127.0.0.1:6780");
  }
  return { host, port };
};

/** IPv4 address. */
export const ipv4: ValueReader<string> = (value) => {
  if (!isIPv4(value)) throw wrong(value, "an IPv4 address");
  return value;
};

/** Base URL of a server: http or https, no path. */
export const serverUrl: ValueReader<string> = (value) => {
  const url = URL.canParse(value) ? new URL(value) : undefined;
  if (!url || !/^https?:$/.test(url.protocol) || url.pathname !== "/" || url.search !== "") {
    throw wrong(value, "http://HOST:PORT or https://HOST:PORT");
  }
  return url.href.replace(/\/$/, "");
};

/** Base URL of an OIDC provider; empty = none. Plain HTTP on loopback alone: whoever is on the way could log in as anybody. */
export const issuerUrl: ValueReader<string | undefined> = (value) => {
  if (value === "") return undefined;
  const url = URL.canParse(value) ? new URL(value) : undefined;
  const isSafe = url?.protocol === "https:" || (url?.protocol === "http:" && isLoopback(url.hostname));
  if (!url || !isSafe || url.search !== "" || url.hash !== "") throw wrong(value, "https://HOST/PATH");
  return url.href;
};

/** DNS label, as object names are. */
export const objectName: ValueReader<string> = (value) => {
  if (!/^[a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?$/.test(value)) {
    throw wrong(value, "lower-case letters, digits, `-` and `.`, at most 253 of them");
  }
  return value;
};

/** True when only this machine can reach `host`. */
export function isLoopback(host: string): boolean {
  return host === "localhost" || host === "::1" || (isIPv4(host) && host.startsWith("127."));
}

/** The refusal of a value: what was found and what is allowed. */
export function wrong(found: string, expected: string): ParasausError {
  return new ParasausError("Usage", `found "${found}", expected ${expected}`);
}

/** Idle times as `established=7800,closed=60`, in seconds; what is not named keeps its default. */
export function secondsByName<Name extends string>(
  names: readonly Name[],
): ValueReader<Readonly<Partial<Record<Name, number>>>> {
  const form = `${names.map((name) => `${name}=SECONDS`).join(",")}, or some of them`;
  return (value) => {
    const parts = value.split(",").filter((part) => part !== "");
    const pairs = parts.map((part) => {
      const [, name, seconds] = /^([a-z-]+)=(\d{1,7})$/.exec(part.trim()) ?? [];
      const known = names.find((each) => each === name);
      if (known === undefined || Number(seconds) < 1) throw wrong(value, form);
      return [known, Number(seconds)];
    });
    return Object.fromEntries(pairs);
  };
}

/** How nodes tell each other of their connections. */
export interface SyncSettings {
  readonly device: string;
  /** 0-255. */
  readonly id: number;
  /** IPv4 multicast address. */
  readonly group: string;
  /** 1-65535. */
  readonly port: number;
  /** Hops, 1-255. */
  readonly ttl: number;
}

/** `eth0`, or `eth0,id=7,group=224.0.0.81,port=8848,ttl=1`; empty = none. */
export const syncSettings: ValueReader<SyncSettings | undefined> = (value) => {
  if (value === "") return undefined;
  const [device = "", ...parts] = value.split(",").map((part) => part.trim());
  const isWhole = /^[^\s/=]{1,15}$/.test(device) && parts.every((part) => /^[a-z]+=./.test(part));
  if (!isWhole) throw wrong(value, SYNC_FORM);
  const found = new Map(parts.map((part) => part.split("=", 2) as [string, string | undefined]));
  const take = <Value>(name: string, read: ValueReader<Value>, standard: string) => {
    const given = found.get(name) ?? standard;
    found.delete(name);
    return read(given);
  };
  const settings = {
    device,
    id: take("id", wholeNumber(0, 255), "0"),
    group: take("group", multicastAddress, "224.0.0.81"),
    port: take("port", wholeNumber(1, 65_535), "8848"),
    ttl: take("ttl", wholeNumber(1, 255), "1"),
  };
  if (found.size > 0) throw wrong(value, SYNC_FORM);
  return settings;
};

const SYNC_FORM = "DEVICE[,id=0-255][,group=MULTICAST-IP][,port=PORT][,ttl=1-255]";

const multicastAddress: ValueReader<string> = (value) => {
  const first = Number(value.split(".")[0]);
  if (!isIPv4(value) || first < 224 || first > 239) throw wrong(value, "an IPv4 multicast address");
  return value;
};

/** Where objects are kept. */
export type StoreLocation =
  | { readonly kind: "embedded" }
  | {
      readonly kind: "etcd";
      /** `host:port` of each member. */
      readonly endpoints: readonly string[];
    };

const ETCD_SCHEME = "etcd://";
const ETCD_PORT = 2379;

/** `embedded`, or `etcd://host:2379,host2:2379`. */
export const storeLocation: ValueReader<StoreLocation> = (value) => {
  if (value === "embedded") return { kind: "embedded" };
  if (!value.startsWith(ETCD_SCHEME)) throw wrong(value, `embedded or ${ETCD_SCHEME}HOST:PORT,HOST:PORT`);
  const endpoints = value.slice(ETCD_SCHEME.length).split(",").map(etcdEndpoint);
  return { kind: "etcd", endpoints: [...new Set(endpoints)] };
};

function etcdEndpoint(part: string): string {
  const [, host, port] = /^(\[[0-9a-fA-F:.]+\]|[A-Za-z0-9.-]+)(?::(\d{1,5}))?$/.exec(part) ?? [];
  const isHost = host !== undefined && (!host.startsWith("[") || isIP(host.slice(1, -1)) === 6);
  if (!isHost || Number(port ?? 1) > 65_535 || Number(port ?? 1) < 1) {
    throw wrong(
      part,
      `HOST:PORT of an etcd member, without user, path or spaces, e.g. ${ETCD_SCHEME}10.0.0.1:${ETCD_PORT}`,
    );
  }
  return `${host}:${Number(port ?? ETCD_PORT)}`;
}
