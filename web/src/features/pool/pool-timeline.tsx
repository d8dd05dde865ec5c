import type { PoolDetail } from "../../../../src/model/console/pool-views.ts";
import { StateMark } from "../../components/state-mark.tsx";
import { useTexts } from "../../i18n/use-texts.ts";
import { formatAddress, formatTime } from "../../lib/format.ts";
import { type TimelineEntry, timelineOf } from "./timeline.ts";

/** Verdicts and operations in one line of time, newest first. */
export function PoolTimeline({ detail }: { readonly detail: PoolDetail }) {
  const say = useTexts();
  const entries = timelineOf(detail);
  if (entries.length === 0) return <p className="dimmed">{say("pool.timeline.empty")}</p>;
  return (
    <ol className="timeline">
      {entries.map((entry) => (
        <li
          key={`${entry.time} ${entry.kind} ${entry.kind === "operation" ? entry.row.name : entry.member.ip}`}
        >
          <time dateTime={entry.time} className="dimmed">
            {formatTime(entry.time)}
          </time>
          <Entry entry={entry} />
        </li>
      ))}
    </ol>
  );
}

function Entry({ entry }: { readonly entry: TimelineEntry }) {
  const say = useTexts();
  if (entry.kind === "verdict") {
    const { ip, port, verdict, reason } = entry.member;
    return (
      <span>
        <StateMark state={verdict} /> <span className="mono">{formatAddress(ip, port)}</span>{" "}
        <span className="dimmed">{reason}</span>
      </span>
    );
  }
  const { operator, verb, member, reason, kind } = entry.row;
  return (
    <span>
      <strong>{operator}</strong> {say(`verb.${verb}`)} {kind === "Pool" ? "" : kind}{" "}
      {member !== undefined && <span className="mono">{member}</span>}{" "}
      {reason !== undefined && <q>{reason}</q>}
    </span>
  );
}
