import type { MemberRow, PoolDetail } from "../../../../src/model/console/pool-views.ts";
import { GridTable } from "../../components/grid-table.tsx";
import { StateMark } from "../../components/state-mark.tsx";
import { TimeAgo } from "../../components/time-ago.tsx";
import { useTexts } from "../../i18n/use-texts.ts";
import { formatAddress, formatBytes, formatCountdown, formatNumber, formatShare } from "../../lib/format.ts";
import { useNow } from "../../lib/use-now.ts";
import { MemberActions } from "./member-actions.tsx";

const COLUMNS = [
  "member.column.member",
  "member.column.state",
  "member.column.lastProbe",
  "member.column.weight",
  "member.column.connections",
  "member.column.bytes",
  "pools.column.operator",
  "pools.column.actions",
] as const;

/** The members of a pool: how they are and why, what they carry, and what can be done with each. */
export function MemberTable({ detail }: { readonly detail: PoolDetail }) {
  const say = useTexts();
  const label = say("pool.members", { count: detail.members.length });
  if (detail.members.length === 0) return <p className="dimmed">{say("pool.noMembers")}</p>;
  return (
    <GridTable label={label} columns={COLUMNS} className="members-grid">
      {detail.members.map((member, index) => (
        <tr key={`${member.ip}:${member.port}`}>
          <td className="mono">{formatAddress(member.ip, member.port)}</td>
          <StateCell member={member} />
          <ProbeCell member={member} />
          <td>
            {member.weight}{" "}
            <span className="dimmed">{say("member.share", { share: formatShare(member.share) })}</span>
          </td>
          <TrafficCells member={member} />
          <td>
            {member.last ? (
              <>
                {member.last.operator}
                <br />
                <span className="dimmed">
                  <TimeAgo time={member.last.time} />
                </span>
              </>
            ) : (
              "–"
            )}
          </td>
          <td>
            <MemberActions detail={detail} member={member} index={index} />
          </td>
        </tr>
      ))}
    </GridTable>
  );
}

function StateCell({ member }: { readonly member: MemberRow }) {
  const say = useTexts();
  const { state, reason, since, verdict } = member;
  return (
    <td>
      <StateMark state={verdict} />
      {state !== "ready" && <span className="warning-word">{say(`member.state.${state}`)}</span>}
      <DrainCountdown member={member} />
      <br />
      <span className="dimmed reason">
        {reason}
        {since !== "" && (
          <>
            {reason !== "" && " · "}
            <TimeAgo time={since} />
          </>
        )}
      </span>
    </td>
  );
}

function DrainCountdown({ member: { drainUntil } }: { readonly member: MemberRow }) {
  const say = useTexts();
  const nowMs = useNow();
  if (drainUntil === undefined) return null;
  const leftMs = Date.parse(drainUntil) - nowMs;
  return (
    <span className="dimmed">
      {" "}
      {leftMs > 0 ? say("member.drainLeft", { time: formatCountdown(leftMs) }) : say("member.drained")}
    </span>
  );
}

function ProbeCell({ member: { probes } }: { readonly member: MemberRow }) {
  const say = useTexts();
  if (!probes) return <td>–</td>;
  const { successCount, failureCount, recentSuccessCount, recentCount } = probes;
  return (
    <td>
      <span title={probes.lastSnippet}>
        <span className="mono">{probes.lastCode}</span>{" "}
        {say("unit.milliseconds", { count: formatNumber(Math.round(probes.lastDurationMs * 10) / 10) })}
      </span>
      <br />
      <span title={say("member.recent", { passed: recentSuccessCount, count: recentCount })}>
        {say("member.passed", { count: formatNumber(successCount) })},{" "}
        <span className={failureCount > 0 ? "bad" : undefined}>
          {say("member.failed", { count: formatNumber(failureCount) })}
        </span>
      </span>
    </td>
  );
}

function TrafficCells({ member: { traffic } }: { readonly member: MemberRow }) {
  const say = useTexts();
  if (!traffic) {
    return (
      <>
        <td>–</td>
        <td>–</td>
      </>
    );
  }
  return (
    <>
      <td>
        {formatNumber(traffic.activeCount)}
        <br />
        <span className="dimmed">{say("member.total", { count: formatNumber(traffic.totalCount) })}</span>
      </td>
      <td>
        ↓ {formatBytes(traffic.bytesIn)}
        <br />↑ {formatBytes(traffic.bytesOut)}
      </td>
    </>
  );
}
