import type { ProbeLedger } from "../../controllers/index.ts";
import { type MetricFamily, samplesOf } from "./exposition.ts";
import type { PoolNames } from "./traffic-families.ts";

/** What each member's probes saw. */
export function probeFamilies(ledger: ProbeLedger | undefined, names: PoolNames): readonly MetricFamily[] {
  const rows = {
    *[Symbol.iterator]() {
      for (const { poolUid, member, record } of ledger?.entries() ?? []) {
        const pool = names(poolUid);
        yield { labels: { namespace: pool?.namespace ?? "", pool: pool?.name ?? poolUid, member }, record };
      }
    },
  };
  return [
    {
      name: "parasaus_member_probes_total",
      help: "Probes of the member by result.",
      type: "counter",
      samples: samplesOf(rows, ({ labels, record }) => [
        { labels: { ...labels, result: "success" }, value: record.successCount },
        { labels: { ...labels, result: "failure" }, value: record.failureCount },
      ]),
    },
    {
      name: "parasaus_member_probe_duration_seconds",
      help: "How long the last probe of the member took.",
      type: "gauge",
      samples: samplesOf(rows, ({ labels, record }) => ({ labels, value: record.lastDurationMs / 1000 })),
    },
  ];
}
