import type { DownMember } from "../../../../src/model/console/fleet-views.ts";
import { GridTable } from "../../components/grid-table.tsx";
import { StateMark } from "../../components/state-mark.tsx";
import { TextLink } from "../../components/text-link.tsx";
import { TimeAgo } from "../../components/time-ago.tsx";
import { useTexts } from "../../i18n/use-texts.ts";
import { formatAddress, formatTime } from "../../lib/format.ts";

const COLUMNS = [
  "member.column.member",
  "health.column.reason",
  "health.column.since",
  "pools.column.name",
  "health.column.pool",
] as const;

/** Members that are down, and why. */
export function DownTable({ rows }: { readonly rows: readonly DownMember[] }) {
  const say = useTexts();
  return (
    <GridTable label={say("health.title")} columns={COLUMNS}>
      {rows.map(({ namespace, pool, ip, port, state, poolState, reason, since }) => (
        <tr key={`${namespace}/${pool} ${ip}:${port}`}>
          <td>
            <span className="mono">{formatAddress(ip, port)}</span>
            {state !== "ready" && <span className="warning-word">{say(`member.state.${state}`)}</span>}
          </td>
          <td className="why" title={reason}>
            {reason}
          </td>
          <td>
            {since !== "" && (
              <>
                <TimeAgo time={since} /> <span className="dimmed">{formatTime(since)}</span>
              </>
            )}
          </td>
          <td>
            <TextLink to="/pools/$namespace/$name" params={{ namespace, name: pool }} inherit>
              {namespace}/{pool}
            </TextLink>
          </td>
          <td>
            <StateMark state={poolState} />
          </td>
        </tr>
      ))}
    </GridTable>
  );
}
