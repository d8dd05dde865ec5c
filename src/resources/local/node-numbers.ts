import { ParasausError } from "../../foundation/index.ts";
import {
  type KubeObject,
  NODE_NUMBER_COUNT,
  type Node,
  nodeDefinition,
  type ResourceDefinition,
} from "../../model/index.ts";
import type { Store, StoreCondition, StoreEntry, StoreWrite } from "../../store/index.ts";
import { encodeObject, type ObjectReader } from "./codec.ts";
import { prefixOf } from "./keys.ts";
import { type NodeHeartbeats, readHeartbeats } from "./node-heartbeats.ts";

/** Rewritten whenever a number is given, so that two who choose at the same time cannot both succeed. */
export const NODE_NUMBERS_KEY = "/parasaus/node-numbers";
/** A node that was not heard of for so long may lose its number to a new one, hours. */
const LEASE_HOURS = 24;
const LEASE_MS = LEASE_HOURS * 3_600_000;

/** A Node with its number, and what makes sure in the Node's own transaction that nobody else gets it. */
export interface NumberedNode {
  readonly object: KubeObject;
  readonly conditions: readonly StoreCondition[];
  readonly writes: readonly StoreWrite[];
}

/** Where numbers are looked up. */
export interface NumberSource {
  readonly store: Store;
  readonly reader: ObjectReader;
  readonly now: () => Date;
}

/** Whether writing this object gives it a number. */
export function needsNumber(definition: ResourceDefinition, previous: KubeObject | undefined): boolean {
  return definition === nodeDefinition && numberOf(previous) === undefined;
}

/** The server hands numbers out: whatever a writer says, a Node keeps its own. */
export function keepNumber(
  definition: ResourceDefinition,
  next: KubeObject,
  previous?: KubeObject,
): KubeObject {
  if (definition !== nodeDefinition || numberOf(next) === numberOf(previous)) return next;
  const { number: _, ...status } = (next as Node).status ?? {};
  const number = numberOf(previous);
  return { ...next, status: { ...status, ...(number === undefined ? {} : { number }) } } as KubeObject;
}

/**
 * Gives a Node the lowest number that no other one has, or that of the one that was silent for longest, and for a day at
 * least.
 *
 * @returns the object as it was when it is stored already and no number is free
 * @throws ParasausError `CapacityExceeded` for a new Node when no number is free
 */
export async function numberNode(
  node: KubeObject,
  source: NumberSource,
  isNew: boolean,
): Promise<NumberedNode> {
  const { store, reader } = source;
  // Before the nodes: whoever gives a number after this rewrites the key.
  const guard = await store.get(NODE_NUMBERS_KEY);
  const { entries } = await store.range(prefixOf(nodeDefinition));
  const nodes = entries.map((entry) => ({ entry, node: reader.read(entry) as Node }));
  const taken = new Set(nodes.map((each) => each.node.status?.number));
  const free = Array.from({ length: NODE_NUMBER_COUNT }, (_, index) => index + 1).find(
    (each) => !taken.has(each),
  );
  const lost =
    free === undefined ? longestSilent(nodes, await readHeartbeats(store), source.now()) : undefined;
  const number = free ?? lost?.node.status?.number;
  if (number === undefined) {
    if (isNew) throw refusal(node.metadata.name);
    return { object: node, conditions: [], writes: [] };
  }
  const value = JSON.stringify({ number, node: node.metadata.name });
  return {
    object: { ...node, status: { ...(node as Node).status, number } } as KubeObject,
    conditions: [
      { key: NODE_NUMBERS_KEY, modRevision: guard?.modRevision ?? 0 },
      ...(lost ? [{ key: lost.entry.key, modRevision: lost.entry.modRevision }] : []),
    ],
    writes: [
      { kind: "put", key: NODE_NUMBERS_KEY, value },
      ...(lost ? [{ kind: "put" as const, key: lost.entry.key, value: withoutNumber(lost.node) }] : []),
    ],
  };
}

function numberOf(object: KubeObject | undefined): number | undefined {
  return (object as Node | undefined)?.status?.number;
}

function withoutNumber(node: Node): string {
  const { number: _, ...status } = node.status ?? {};
  return encodeObject({ ...node, status } as KubeObject);
}

interface StoredNode {
  readonly entry: StoreEntry;
  readonly node: Node;
}

function longestSilent(
  nodes: readonly StoredNode[],
  heard: NodeHeartbeats,
  now: Date,
): StoredNode | undefined {
  const lastMs = ({ node: { metadata, status } }: StoredNode): number => {
    const times = [metadata.creationTimestamp, status?.heartbeat].map((time) => Date.parse(time ?? "") || 0);
    return Math.max(...times, heard.get(metadata.name)?.atMs ?? 0);
  };
  const [oldest] = nodes
    .filter(({ node }) => numberOf(node) !== undefined)
    .sort((a, b) => lastMs(a) - lastMs(b));
  return oldest && now.getTime() - lastMs(oldest) >= LEASE_MS ? oldest : undefined;
}

function refusal(name: string): ParasausError {
  const message =
    `Cannot register node "${name}": all ${NODE_NUMBER_COUNT} node numbers are taken, which is the limit; delete a node ` +
    `that is gone for good (parasaus delete node/NAME), or wait until one was not heard of for ${LEASE_HOURS} hours`;
  const { group, kind } = nodeDefinition;
  return new ParasausError("CapacityExceeded", message, { object: { group, kind, name } });
}
