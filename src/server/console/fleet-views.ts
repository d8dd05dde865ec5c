import { type NodeRequests, type PoolCatalogue, reportHealth, sumUp, type View } from "../../api/index.ts";
import { type DriverCounters, isBadNews, type Node, type NodeList, type NodeRow } from "../../model/index.ts";
import { pageIn } from "./questions.ts";

/** What the views of the whole are made of. */
export interface FleetViewsSource {
  readonly catalogue: PoolCatalogue;
  readonly nodes: Pick<NodeRequests, "askAll">;
  /** Every Node, with what its agent said last. */
  readonly readNodes: () => Promise<readonly Node[]>;
  readonly onChange: View["onChange"];
}

const OVERVIEW_PERIOD_MS = 2_000;
const NODES_PERIOD_MS = 1_000;

/** `GET /api/console/overview`: how everything is that who asks may see. */
export function overviewView({ catalogue, readNodes, onChange }: FleetViewsSource): View {
  return {
    url: "/api/console/overview",
    onChange,
    periodMs: OVERVIEW_PERIOD_MS,
    read: async ({ sight }) => {
      const nodes = sight.cluster("nodes.parasaus.io") ? await readNodes() : undefined;
      return sumUp(
        catalogue,
        sight.pools,
        nodes?.map((node) => nodeRow(node, undefined)),
      );
    },
  };
}

/** `GET /api/console/health`: what is down and why, of what who asks may see. */
export function healthView({ catalogue, readNodes, onChange }: FleetViewsSource): View {
  return {
    url: "/api/console/health",
    onChange,
    periodMs: OVERVIEW_PERIOD_MS,
    read: async (question) => {
      const { sight } = question;
      const nodes = sight.cluster("nodes.parasaus.io") ? await readNodes() : undefined;
      const rows = nodes?.map((node) => nodeRow(node, undefined));
      return reportHealth(catalogue, { ...pageIn(question.query), maySee: sight.pools }, rows);
    },
  };
}

/** `GET /api/console/nodes`: every node, with what its kernel counts. */
export function nodeListView({ nodes, readNodes }: FleetViewsSource): View {
  return {
    url: "/api/console/nodes",
    onChange: () => () => undefined,
    periodMs: NODES_PERIOD_MS,
    read: async (): Promise<NodeList> => {
      const [objects, { answers }] = await Promise.all([
        readNodes(),
        // No pools: what is counted for a node as a whole.
        nodes.askAll<"counters">({ kind: "counters", pools: [] }),
      ]);
      const counters = new Map(answers.map(({ node, value }) => [node, value]));
      return { nodes: objects.map((node) => nodeRow(node, counters.get(node.metadata.name))) };
    },
  };
}

function nodeRow({ metadata, status = {} }: Node, counters: DriverCounters | undefined): NodeRow {
  const { conditions = [] } = status;
  return {
    name: metadata.name,
    ...(status.number === undefined ? {} : { number: status.number }),
    addresses: status.addresses ?? [],
    driver: status.driver ?? "",
    version: status.version ?? "",
    server: status.server ?? "",
    heartbeat: status.heartbeat ?? "",
    isReady: conditions.some(({ type, status: word }) => type === "Ready" && word === "True"),
    appliedRevision: status.appliedRevision ?? "",
    lagCount: status.lagRevisions ?? 0,
    poolCount: status.poolCount ?? 0,
    flowCount: counters?.flowEntryCount ?? status.flowEntryCount ?? 0,
    ...(status.cpuPercent === undefined ? {} : { cpuPercent: status.cpuPercent }),
    ...(counters ? { flowCapacityCount: counters.flowEntryCapacityCount, drops: counters.drops } : {}),
    problems: conditions.filter((condition) => isBadNews(condition) || condition.status === "Unknown"),
  };
}
