import type { Namespace } from "./namespaces.ts";

const TABLE = "paratest-connections";

/**
 * Counts the connections that hosts begin to a namespace, whether they are accepted or not.
 *
 * @param ports As nftables writes them: `9000-9011`.
 * @returns how many so far, by host
 */
export function countConnections(
  namespace: Namespace,
  hosts: readonly string[],
  ports: string,
): () => Record<string, number> {
  const nft = (...words: readonly string[]) => namespace.run("nft", ...words);
  nft("add", "table", "inet", TABLE);
  nft("add", "chain", "inet", TABLE, "input", "{ type filter hook input priority -200; }");
  for (const host of hosts) {
    const match = `ip saddr ${host} tcp dport ${ports} tcp flags & (syn | ack) == syn`;
    nft("add", "rule", "inet", TABLE, "input", match, "counter");
  }
  return () => {
    const counters = [...nft("list", "table", "inet", TABLE).matchAll(/counter packets (\d+)/g)];
    return Object.fromEntries(hosts.map((host, index) => [host, Number(counters[index]?.[1])]));
  };
}
