import { formatHostPort } from "../../foundation/index.ts";
import type { DriverCounters, MemberCounters } from "../../model/index.ts";
import { type MetricFamily, type MetricSample, samplesOf } from "./exposition.ts";

/** What one node's kernel counts. */
export interface NodeCounters {
  readonly node: string;
  readonly counters: DriverCounters;
}

/** Name of a pool by uid, or undefined when it is gone. */
export type PoolNames = (uid: string) => { readonly namespace: string; readonly name: string } | undefined;

type Labels = Readonly<Record<string, string>>;

/** Traffic per node, pool and member, flow-table use and drops per node. */
export function trafficFamilies(nodes: readonly NodeCounters[], names: PoolNames): readonly MetricFamily[] {
  const rows = nodes.flatMap(({ node, counters }) =>
    counters.members.map((member) => ({ labels: memberLabels(node, member, names), member })),
  );
  const perMember = (
    name: string,
    help: string,
    type: "counter" | "gauge",
    read: (m: MemberCounters) => number,
  ) => ({
    name,
    help,
    type,
    samples: samplesOf(rows, ({ labels, member }) => ({ labels, value: read(member) })),
  });
  const perDirection = (
    name: string,
    help: string,
    read: (m: MemberCounters) => [number, number],
  ): MetricFamily => ({
    name,
    help,
    type: "counter",
    samples: samplesOf(rows, ({ labels, member }) => directions(labels, read(member))),
  });
  return [
    perMember(
      "parasaus_member_active_connections",
      "Flows that exist now, half-open and established.",
      "gauge",
      (m) => m.activeConnections,
    ),
    perMember("parasaus_member_connections_total", "Flows so far.", "counter", (m) => m.totalConnections),
    perDirection("parasaus_member_packets_total", "Packets, in = client to member.", (m) => [
      m.packetsIn,
      m.packetsOut,
    ]),
    perDirection("parasaus_member_bytes_total", "Bytes on the wire, in = client to member.", (m) => [
      m.bytesIn,
      m.bytesOut,
    ]),
    perNode(
      nodes,
      "parasaus_flow_entries",
      "Entries in the kernel's flow table now.",
      (c) => c.flowEntryCount,
    ),
    perNode(
      nodes,
      "parasaus_flow_entries_capacity",
      "Entries that fit into the flow table.",
      (c) => c.flowEntryCapacityCount,
    ),
    perNode(nodes, "parasaus_half_open_flows", "Flows that are half-open now.", (c) => c.halfOpenCount),
    {
      name: "parasaus_drops_total",
      help: "Packets dropped or refused, by reason.",
      type: "counter",
      samples: nodes.flatMap(({ node, counters }) =>
        Object.entries(counters.drops).map(([reason, value]) => ({ labels: { node, reason }, value })),
      ),
    },
  ];
}

function memberLabels(node: string, { poolUid, ip, port }: MemberCounters, names: PoolNames): Labels {
  const pool = names(poolUid);
  return {
    node,
    namespace: pool?.namespace ?? "",
    pool: pool?.name ?? poolUid,
    member: formatHostPort(ip, port),
  };
}

function directions(labels: Labels, [inward, outward]: readonly [number, number]): readonly MetricSample[] {
  return [
    { labels: { ...labels, direction: "in" }, value: inward },
    { labels: { ...labels, direction: "out" }, value: outward },
  ];
}

function perNode(
  nodes: readonly NodeCounters[],
  name: string,
  help: string,
  read: (counters: DriverCounters) => number,
): MetricFamily {
  return {
    name,
    help,
    type: "gauge",
    samples: nodes.map(({ node, counters }) => ({ labels: { node }, value: read(counters) })),
  };
}
