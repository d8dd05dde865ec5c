import type { NodeList, NodeRow } from "../../../../src/model/console/fleet-views.ts";
import { GridTable } from "../../components/grid-table.tsx";
import { PageHead } from "../../components/page-head.tsx";
import { StateMark } from "../../components/state-mark.tsx";
import { TimeAgo } from "../../components/time-ago.tsx";
import { useTexts } from "../../i18n/use-texts.ts";
import { formatNumber, formatShare } from "../../lib/format.ts";
import { useView } from "../../lib/use-view.ts";

const COLUMNS = [
  "nodes.column.name",
  "nodes.column.state",
  "nodes.column.driver",
  "nodes.column.revision",
  "nodes.column.pools",
  "nodes.column.flows",
  "nodes.column.cpu",
  "nodes.column.drops",
  "nodes.column.heard",
] as const;

/** The machines that forward. */
export function NodesPage() {
  const say = useTexts();
  const view = useView<NodeList>("/api/console/nodes");
  const nodes = view.value?.nodes;
  return (
    <>
      <PageHead title={say("nodes.title")} view={view} />
      {nodes?.length === 0 && <p className="dimmed">{say("nodes.none")}</p>}
      {nodes && nodes.length > 0 && (
        <GridTable label={say("nodes.title")} columns={COLUMNS} className="members-grid">
          {nodes.map((node) => (
            <Row key={node.name} node={node} />
          ))}
        </GridTable>
      )}
    </>
  );
}

function Row({ node }: { readonly node: NodeRow }) {
  const say = useTexts();
  const { flowCount, flowCapacityCount, cpuPercent, problems } = node;
  return (
    <tr>
      <td>
        <strong>{node.name}</strong>
        <br />
        <span className="dimmed">{node.addresses.join(", ")}</span>
      </td>
      <td>
        <StateMark state={node.isReady ? "up" : "down"} />
        {problems.map(({ type, message }) => (
          <div key={type} className="problem">
            <strong>{type}</strong> {message}
          </div>
        ))}
      </td>
      <td>
        {node.driver}
        <br />
        <span className="dimmed">{node.version}</span>
      </td>
      <td>
        {node.appliedRevision}
        <br />
        <span className={node.lagCount > 0 ? "bad" : "dimmed"}>
          {say("nodes.lag", { count: node.lagCount })}
        </span>
      </td>
      <td>{formatNumber(node.poolCount)}</td>
      <td>
        {formatNumber(flowCount)}
        {flowCapacityCount !== undefined && flowCapacityCount > 0 && (
          <>
            <br />
            <span className="dimmed">{formatShare(flowCount / flowCapacityCount)}</span>
          </>
        )}
      </td>
      <td>{cpuPercent === undefined ? "–" : formatShare(cpuPercent / 100)}</td>
      <Drops drops={node.drops} />
      <td>{node.heartbeat === "" ? "–" : <TimeAgo time={node.heartbeat} />}</td>
    </tr>
  );
}

function Drops({ drops }: { readonly drops: NodeRow["drops"] }) {
  const say = useTexts();
  if (drops === undefined) return <td>–</td>;
  const counted = Object.entries(drops).filter(([, count]) => count > 0);
  if (counted.length === 0) return <td className="dimmed">{say("nodes.noDrops")}</td>;
  return (
    <td>
      {counted.map(([reason, count]) => (
        <div key={reason}>
          <span className="mono">{reason}</span> {formatNumber(count)}
        </div>
      ))}
    </td>
  );
}
