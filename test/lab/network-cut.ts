import type { Namespace } from "./namespaces.ts";

const TABLE = "paratest-cut";

/** A cut in the network of a namespace. */
export interface NetworkCut {
  /** How many packets it has dropped: the proof that it cuts. */
  dropped(): number;
  /** Takes it away. @returns how many packets it dropped. */
  mend(): number;
}

/**
 * Drops what comes into a namespace and what leaves it; loopback is left alone.
 *
 * @param hosts Only from and to these addresses; absent = everything.
 */
export function cutNetwork(namespace: Namespace, hosts?: readonly string[]): NetworkCut {
  const nft = (...words: readonly string[]) => namespace.run("nft", ...words);
  const set = hosts && `{ ${hosts.join(", ")} }`;
  const [from, to] = set ? [`ip saddr ${set}`, `ip daddr ${set}`] : ['iifname != "lo"', 'oifname != "lo"'];
  nft("add", "table", "inet", TABLE);
  for (const [hook, match] of [
    ["input", from],
    ["output", to],
  ] as const) {
    nft("add", "chain", "inet", TABLE, hook, `{ type filter hook ${hook} priority -200; }`);
    nft("add", "rule", "inet", TABLE, hook, match, "counter", "drop");
  }
  const dropped = () =>
    [...nft("list", "table", "inet", TABLE).matchAll(/counter packets (\d+)/g)]
      .map(([, packets]) => Number(packets))
      .reduce((sum, packets) => sum + packets, 0);
  return {
    dropped,
    mend() {
      const count = dropped();
      nft("delete", "table", "inet", TABLE);
      return count;
    },
  };
}
