import type { AgentStatus } from "./node-request.ts";

/** Nodes that ought to hold the same and do not. */
export interface TableConflict {
  /** How often the store was restored, counted from 1. */
  readonly epoch: number;
  /** Resource revision that all of them hold. */
  readonly revision: string;
  /** The hashes that are found at it, the most frequent first. */
  readonly tables: readonly { readonly hash: string; readonly nodes: readonly string[] }[];
}

/** Finds nodes whose table hashes differ although they hold one revision of one epoch. */
export function findTableConflicts(
  agents: readonly Pick<AgentStatus, "nodeName" | "epoch" | "tableRevision" | "tableHash">[],
): readonly TableConflict[] {
  const positions = new Map<string, { epoch: number; revision: string; nodes: Map<string, string[]> }>();
  for (const { nodeName, epoch = 1, tableRevision: revision, tableHash } of agents) {
    if (revision === undefined) continue;
    const key = `${epoch} ${revision}`;
    const position = positions.get(key) ?? { epoch, revision, nodes: new Map() };
    positions.set(key, position);
    position.nodes.set(tableHash, [...(position.nodes.get(tableHash) ?? []), nodeName]);
  }
  return [...positions.values()]
    .filter(({ nodes }) => nodes.size > 1)
    .map(({ epoch, revision, nodes }) => ({
      epoch,
      revision,
      tables: [...nodes]
        .map(([hash, names]) => ({ hash, nodes: names }))
        .sort((a, b) => b.nodes.length - a.nodes.length),
    }));
}
