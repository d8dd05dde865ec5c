import type { PoolRow } from "../../../../src/model/console/pool-views.ts";
import { StateMark } from "../../components/state-mark.tsx";
import { TimeAgo } from "../../components/time-ago.tsx";
import { useTexts } from "../../i18n/use-texts.ts";
import { formatAddress } from "../../lib/format.ts";
import { PoolActions } from "./pool-actions.tsx";
import { Members } from "./pool-columns.tsx";
import { PoolName } from "./pool-name.tsx";

/** A pool on a narrow screen. */
export function PoolCard({
  row,
  heightPx,
}: {
  readonly row: PoolRow | undefined;
  readonly heightPx: number;
}) {
  const say = useTexts();
  if (!row) return <li className="card" style={{ height: heightPx }} />;
  const addresses = row.addresses.map(({ ip, port }) => (ip === "*" ? `*:${port}` : formatAddress(ip, port)));
  return (
    <li className="card" style={{ height: heightPx }}>
      <div className="card-line">
        <PoolName row={row} />
        <PoolActions row={row} />
      </div>
      <div className="card-line">
        <span>
          {addresses.join(", ") || say("pools.pending")} · {row.protocol} · {row.scheduler}
        </span>
        <StateMark state={row.state} />
      </div>
      <div className="card-line dimmed">
        <span className="members">
          <Members row={row} />
        </span>
        {row.last && (
          <span>
            {row.last.operator} · <TimeAgo time={row.last.time} />
          </span>
        )}
      </div>
    </li>
  );
}
