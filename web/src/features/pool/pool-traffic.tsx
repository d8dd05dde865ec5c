import { useEffect, useState } from "react";
import type { MemberRow, PoolDetail } from "../../../../src/model/console/pool-views.ts";
import { useTexts } from "../../i18n/use-texts.ts";
import { formatBytes, formatNumber } from "../../lib/format.ts";
import { Sparkline } from "./sparkline.tsx";

interface Sample {
  readonly timeMs: number;
  readonly activeCount: number;
  readonly totalCount: number;
  readonly bytes: number;
  /** Of the slowest last probe, milliseconds. */
  readonly probeMs: number;
}

const KEPT_SAMPLES = 300;

/** Connections, new ones a second, throughput and the slowest probe, since the page was opened. */
export function PoolTraffic({ detail }: { readonly detail: PoolDetail }) {
  const say = useTexts();
  const samples = useSamples(detail);
  if (samples.length === 0) return <p className="dimmed">{say("pool.noTraffic")}</p>;
  const second = (value: number) => say("unit.perSecond", { count: formatNumber(Math.round(value)) });
  const charts = [
    { text: say("pool.chart.active"), values: samples.map((each) => each.activeCount), format: formatNumber },
    { text: say("pool.chart.rate"), values: rates(samples, (each) => each.totalCount), format: second },
    {
      text: say("pool.chart.bytes"),
      values: rates(samples, (each) => each.bytes),
      format: (value: number) => say("unit.perSecond", { count: formatBytes(value) }),
    },
    {
      text: say("pool.chart.probe"),
      values: samples.map((each) => each.probeMs),
      format: (value: number) =>
        say("unit.milliseconds", { count: formatNumber(Math.round(value * 10) / 10) }),
    },
  ];
  return (
    <div className="charts">
      {charts.map(({ text, values, format }) => (
        <figure key={text}>
          <figcaption>
            <span>{text}</span>
            <strong>{format(values.at(-1) ?? 0)}</strong>
          </figcaption>
          <Sparkline values={values} label={say("pool.chart.peak", { value: format(Math.max(...values)) })} />
        </figure>
      ))}
    </div>
  );
}

function useSamples(detail: PoolDetail): readonly Sample[] {
  const [samples, setSamples] = useState<readonly Sample[]>([]);
  useEffect(() => {
    const sample = sampleOf(detail);
    if (!sample) return;
    setSamples((before) => {
      const last = before.at(-1);
      if (last && last.timeMs >= sample.timeMs) return before;
      // Counters that begin anew (another pool, a node that went) would be a rate below nothing.
      return last && sample.totalCount < last.totalCount
        ? [sample]
        : [...before, sample].slice(-KEPT_SAMPLES);
    });
  }, [detail]);
  return samples;
}

function sampleOf({ members, time }: PoolDetail): Sample | undefined {
  const traffic = members.flatMap((member) => (member.traffic ? [member.traffic] : []));
  if (traffic.length === 0) return undefined;
  return {
    timeMs: Date.parse(time),
    activeCount: sum(traffic, (each) => each.activeCount),
    totalCount: sum(traffic, (each) => each.totalCount),
    bytes: sum(traffic, (each) => each.bytesIn + each.bytesOut),
    probeMs: slowestProbeMs(members),
  };
}

function slowestProbeMs(members: readonly MemberRow[]): number {
  return Math.max(0, ...members.map(({ probes }) => probes?.lastDurationMs ?? 0));
}

function sum<Item>(items: readonly Item[], read: (item: Item) => number): number {
  return items.reduce((total, item) => total + read(item), 0);
}

function rates(samples: readonly Sample[], read: (sample: Sample) => number): number[] {
  return samples.map((sample, index) => {
    const before = samples[index - 1];
    if (!before) return 0;
    return (read(sample) - read(before)) / ((sample.timeMs - before.timeMs) / 1_000);
  });
}
