import { formatHostPort } from "../../foundation/index.ts";
import { completeMember, type Pool } from "../../model/index.ts";
import { type MetricFamily, samplesOf } from "./exposition.ts";

/** What the control plane knows of pools and members. */
export function poolFamilies(pools: readonly Pool[]): readonly MetricFamily[] {
  const members = {
    *[Symbol.iterator]() {
      for (const pool of pools) yield* membersOf(pool);
    },
  };
  return [
    {
      name: "parasaus_member_up",
      help: "1 while the health check's verdict is up.",
      type: "gauge",
      samples: samplesOf(members, ({ labels, isUp }) => ({ labels, value: isUp ? 1 : 0 })),
    },
    {
      name: "parasaus_member_weight",
      help: "Configured weight, 0-256.",
      type: "gauge",
      samples: samplesOf(members, ({ labels, weight }) => ({ labels, value: weight })),
    },
    {
      name: "parasaus_pools",
      help: "Pools by whether they have a connect address.",
      type: "gauge",
      samples: [true, false].map((allocated) => ({
        labels: { allocated: String(allocated) },
        value: pools.filter(({ status }) => (status?.connectAddresses ?? []).length > 0 === allocated).length,
      })),
    },
  ];
}

function membersOf({ metadata, spec, status }: Pool) {
  return spec.members.map(completeMember).map((member) => ({
    labels: {
      namespace: metadata.namespace ?? "",
      pool: metadata.name,
      member: formatHostPort(member.ip, member.port),
    },
    weight: member.weight,
    isUp: status?.members?.some(
      (one) => one.ip === member.ip && one.port === member.port && one.verdict === "up",
    ),
  }));
}
