import { type ConnectAddress, lastPortOf, type Pool, type Protocol } from "../../model/index.ts";
import { EVERY_NODE } from "./ranges.ts";

interface Listener {
  readonly uid: string;
  /** `namespace/name`. */
  readonly key: string;
  readonly address: ConnectAddress;
}

/** Who listens where, as the stored pools say: for every server, whether or not it runs the allocator. */
export class ConnectAddressIndex {
  /** By port and protocol, ranges by protocol: few share one. */
  readonly #listeners = new Map<string, readonly Listener[]>();
  readonly #ports = new Map<string, readonly string[]>();
  #nodeIps: ReadonlySet<string> = new Set();

  /** Tells which addresses pools that listen on every node listen on. */
  setNodeIps(ips: ReadonlySet<string>): void {
    this.#nodeIps = ips;
  }

  /** Takes over a pool as it is now. */
  put({ metadata, status }: Pool): void {
    const { uid = "", namespace = "", name } = metadata;
    this.remove(uid);
    const addresses = status?.connectAddresses ?? [];
    if (addresses.length === 0) return;
    for (const address of addresses) {
      const at = keyOf(address);
      this.#listeners.set(at, [
        ...(this.#listeners.get(at) ?? []),
        { uid, key: `${namespace}/${name}`, address },
      ]);
    }
    this.#ports.set(uid, addresses.map(keyOf));
  }

  /** Forgets a pool. */
  remove(uid: string): void {
    for (const at of this.#ports.get(uid) ?? []) {
      const left = (this.#listeners.get(at) ?? []).filter((listener) => listener.uid !== uid);
      if (left.length > 0) this.#listeners.set(at, left);
      else this.#listeners.delete(at);
    }
    this.#ports.delete(uid);
  }

  /** Forgets every pool. */
  clear(): void {
    this.#listeners.clear();
    this.#ports.clear();
  }

  /** `namespace/name` of the pool that listens on an address, be it as one of the nodes' own. */
  holderAt(ip: string, port: number, protocol: Protocol): string | undefined {
    const isMet = ({ address }: Listener) =>
      (address.ip === ip || (address.ip === EVERY_NODE && this.#nodeIps.has(ip))) &&
      port >= address.port &&
      port <= lastPortOf(address);
    const listeners = [`${port}/${protocol}`, rangesOf(protocol)].flatMap(
      (at) => this.#listeners.get(at) ?? [],
    );
    return listeners.find(isMet)?.key;
  }
}

function keyOf({ port, lastPort, protocol }: ConnectAddress): string {
  return lastPort === undefined ? `${port}/${protocol}` : rangesOf(protocol);
}

function rangesOf(protocol: Protocol): string {
  return `ranges/${protocol}`;
}
