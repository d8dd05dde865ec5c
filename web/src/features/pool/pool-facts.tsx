import { Paper } from "@mantine/core";
import type { ReactNode } from "react";
import type { PoolDetail } from "../../../../src/model/console/pool-views.ts";
import { StateMark } from "../../components/state-mark.tsx";
import { TimeAgo } from "../../components/time-ago.tsx";
import { useTexts } from "../../i18n/use-texts.ts";
import { formatAddress } from "../../lib/format.ts";

/** What a pool is, in a few words each. */
export function PoolFacts({ detail }: { readonly detail: PoolDetail }) {
  const say = useTexts();
  const { pool, service, last, state } = detail;
  const { spec, status, metadata } = pool;
  const { type, interval, rise, fall } = spec.healthCheck;
  const addresses = (status?.connectAddresses ?? []).map(({ ip, port }) =>
    ip === "*" ? `${say("pools.allNodes")} :${port}` : formatAddress(ip, port),
  );
  const labels = Object.entries(metadata.labels ?? {}).map(([key, value]) => `${key}=${value}`);
  const check =
    type === "none"
      ? say("pool.check.none")
      : say("pool.check", { type, interval: String(interval), rise, fall });
  return (
    <Paper withBorder p="md">
      <dl className="facts">
        <Fact name={say("pools.column.state")}>
          <StateMark state={state} />
        </Fact>
        <Fact name={say("pool.address")}>{addresses.join(", ") || say("pools.pending")}</Fact>
        <Fact name={say("pools.column.protocol")}>{spec.protocol}</Fact>
        <Fact name={say("pools.column.scheduler")}>{spec.scheduler}</Fact>
        <Fact name={say("pool.forwarding")}>{spec.forwarding}</Fact>
        <Fact name={say("pool.healthCheck")}>{check}</Fact>
        <Fact name={say("pool.drainTime")}>{say("unit.seconds", { count: spec.drainSeconds })}</Fact>
        {service !== undefined && <Fact name={say("pool.service")}>{service}</Fact>}
        {labels.length > 0 && <Fact name={say("pool.labels")}>{labels.join(", ")}</Fact>}
        <Fact name={say("pools.column.time")}>
          {last ? (
            <>
              {last.operator} · {say(`verb.${last.verb as "update"}`)} · <TimeAgo time={last.time} />
            </>
          ) : (
            "–"
          )}
        </Fact>
      </dl>
    </Paper>
  );
}

function Fact({ name, children }: { readonly name: string; readonly children: ReactNode }) {
  return (
    <div>
      <dt>{name}</dt>
      <dd>{children}</dd>
    </div>
  );
}
