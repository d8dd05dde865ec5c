import { Alert } from "@mantine/core";
import type { PlannedMember, PlannedTraffic } from "../../../../src/model/plan/plan.ts";
import { GridTable } from "../../components/grid-table.tsx";
import { useTexts } from "../../i18n/use-texts.ts";
import { formatNumber, formatShare } from "../../lib/format.ts";

const COLUMNS = [
  "member.column.member",
  "plan.column.newFlows",
  "pools.column.state",
  "plan.column.kept",
  "plan.column.drained",
  "plan.column.cut",
] as const;

/** What a change does to live traffic, member by member, from the flows that the nodes' kernels have now. */
export function PlanTable({ traffic }: { readonly traffic: PlannedTraffic }) {
  const say = useTexts();
  const { address, members, keptCount, drainedCount, cutCount, unknownNodes } = traffic;
  return (
    <>
      <h3 className="change-title">{say("plan.title")}</h3>
      {unknownNodes.length > 0 && (
        <Alert color="yellow" mb="sm" title={say("pool.silentNodes", { nodes: unknownNodes.join(", ") })} />
      )}
      {address && (
        <p>{say("plan.address", { before: address.before ?? "–", after: address.after ?? "–" })}</p>
      )}
      {members.length > 0 && (
        <GridTable label={say("plan.title")} columns={COLUMNS}>
          {members.map((member) => (
            <MemberRow key={member.member} member={member} />
          ))}
        </GridTable>
      )}
      <p>
        {say("plan.sum", {
          kept: formatNumber(keptCount),
          drained: formatNumber(drainedCount),
          cut: formatNumber(cutCount),
        })}
      </p>
    </>
  );
}

function MemberRow({ member }: { readonly member: PlannedMember }) {
  const say = useTexts();
  const { before, after, shareOnceProbed, drainSeconds, drainedCount, cutCount } = member;
  const share = (value: number | undefined) => (value === undefined ? "–" : formatShare(value));
  const disposition = (state: typeof before) => (state ? say(`disposition.${state.disposition}`) : "–");
  const [was, is] = [disposition(before), disposition(after)];
  return (
    <tr>
      <td className="mono">{member.member}</td>
      <td>
        {share(before?.share)} → {share(after?.share)}
        {shareOnceProbed !== undefined && (
          <span className="dimmed"> {say("plan.onceProbed", { share: formatShare(shareOnceProbed) })}</span>
        )}
      </td>
      <td>{was === is ? is : `${was} → ${is}`}</td>
      <td>{formatNumber(member.keptCount)}</td>
      <td>
        {formatNumber(drainedCount)}
        {drainedCount > 0 && drainSeconds !== undefined && (
          <span className="dimmed"> {say("plan.atMost", { seconds: drainSeconds })}</span>
        )}
      </td>
      <td className={cutCount > 0 ? "bad" : undefined}>{formatNumber(cutCount)}</td>
    </tr>
  );
}
