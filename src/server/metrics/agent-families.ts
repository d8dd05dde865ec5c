import { type AgentStatus, findTableConflicts, type TimeHistogram } from "../../model/index.ts";
import type { MetricFamily, MetricSample } from "./exposition.ts";

/** How agents are doing: what they hold, how far behind they are, how long they take. */
export function agentFamilies(agents: readonly AgentStatus[]): readonly MetricFamily[] {
  const family =
    (type: "counter" | "gauge") =>
    (name: string, help: string, read: (agent: AgentStatus) => number | undefined): MetricFamily => ({
      name,
      help,
      type,
      samples: agents.flatMap((agent) => {
        const value = read(agent);
        return value === undefined ? [] : [{ labels: { node: agent.nodeName }, value }];
      }),
    });
  const gauge = family("gauge");
  const counter = family("counter");
  const times = (name: string, help: string, read: (agent: AgentStatus) => TimeHistogram): MetricFamily => ({
    name,
    help,
    type: "histogram",
    samples: agents.flatMap((agent) => histogramSamples({ node: agent.nodeName }, read(agent))),
  });
  return [
    {
      name: "parasaus_agent_info",
      help: "1; the labels say what runs and where its state came from.",
      type: "gauge",
      samples: agents.map(({ nodeName, driver, version, source }) => ({
        labels: { node: nodeName, driver, version, source },
        value: 1,
      })),
    },
    gauge("parasaus_agent_applied_revision", "Resource revision that the kernel holds.", (agent) =>
      agent.appliedRevision === undefined ? undefined : Number(agent.appliedRevision),
    ),
    gauge("parasaus_agent_epoch", "Epoch of the store that the revision is of.", (agent) => agent.epoch),
    counter(
      "parasaus_agent_refused_answers_total",
      "Answers of servers that were refused as too old or another store's.",
      (agent) => agent.refusedAnswerCount,
    ),
    {
      name: "parasaus_table_conflicts",
      help: "Nodes that hold something else than most others at the same revision; not 0 is an alarm.",
      type: "gauge",
      samples: [{ labels: {}, value: strayCount(agents) }],
    },
    gauge(
      "parasaus_agent_held_pools",
      "Pools that the server lacks and the node goes on forwarding until somebody confirms; not 0 is an alarm.",
      (agent) => agent.heldPoolCount,
    ),
    gauge(
      "parasaus_agent_watch_lag_seconds",
      "Time since the server was last heard of over the watch.",
      (agent) => (agent.watchAgeMs === undefined ? undefined : agent.watchAgeMs / 1000),
    ),
    gauge("parasaus_agent_pools", "Pools that the kernel holds.", (agent) => agent.poolCount),
    gauge(
      "parasaus_agent_refused_pools",
      "Pools that the driver refuses now.",
      (agent) => agent.refusedPoolCount,
    ),
    gauge(
      "parasaus_agent_unreadable_pools",
      "Pools that could not be understood.",
      (agent) => agent.unreadablePoolCount,
    ),
    times("parasaus_dataplane_sync_duration_seconds", "Time of one reconcile.", (agent) => agent.reconcile),
    times(
      "parasaus_change_to_kernel_seconds",
      "From a change's arrival at the agent until the kernel holds it.",
      (agent) => agent.changeToKernel,
    ),
    counter(
      "parasaus_dataplane_operations_total",
      "Operations applied to the kernel.",
      (agent) => agent.operationCount,
    ),
    counter(
      "parasaus_dataplane_drift_total",
      "Pools found changed by somebody else, and repaired.",
      (agent) => agent.driftCount,
    ),
    counter(
      "parasaus_flows_cut_total",
      "Flows that were reset at a deadline.",
      (agent) => agent.cutFlowCount,
    ),
    counter(
      "parasaus_flows_expired_total",
      "Idle flows that were removed.",
      (agent) => agent.expiredFlowCount,
    ),
    counter(
      "parasaus_load_drift_total",
      "Load that the recounts found wrong, and repaired.",
      (agent) => agent.loadDriftCount,
    ),
  ];
}

function strayCount(agents: readonly AgentStatus[]): number {
  const strays = findTableConflicts(agents).flatMap(({ tables }) => tables.slice(1));
  return strays.reduce((sum, { nodes }) => sum + nodes.length, 0);
}

/** Prometheus' buckets are cumulative. */
function histogramSamples(
  labels: Readonly<Record<string, string>>,
  { boundsMs, counts, sumMs }: TimeHistogram,
): readonly MetricSample[] {
  let total = 0;
  const buckets = counts.map((count, index) => {
    total += count;
    const bound = boundsMs[index];
    return {
      suffix: "_bucket",
      labels: { ...labels, le: bound === undefined ? "+Inf" : String(bound / 1000) },
      value: total,
    };
  });
  return [
    ...buckets,
    { suffix: "_sum", labels, value: sumMs / 1000 },
    { suffix: "_count", labels, value: total },
  ];
}
