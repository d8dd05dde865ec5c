import { Paper } from "@mantine/core";
import type { ReactNode } from "react";
import type { AilingPool, Overview } from "../../../../src/model/console/fleet-views.ts";
import { POOL_STATES } from "../../../../src/model/console/pool-views.ts";
import { PageHead } from "../../components/page-head.tsx";
import { Panel } from "../../components/panel.tsx";
import { StateMark } from "../../components/state-mark.tsx";
import { TextLink } from "../../components/text-link.tsx";
import { TimeAgo } from "../../components/time-ago.tsx";
import { useTexts } from "../../i18n/use-texts.ts";
import { formatAddress, formatNumber } from "../../lib/format.ts";
import { useView } from "../../lib/use-view.ts";

/** How everything is, and what needs attention first. */
export function OverviewPage() {
  const say = useTexts();
  const view = useView<Overview>("/api/console/overview");
  return (
    <>
      <PageHead title={say("overview.title")} view={view} />
      {view.value && <Content overview={view.value} />}
    </>
  );
}

function Content({ overview }: { readonly overview: Overview }) {
  const say = useTexts();
  const { pools, members, nodes, ailing, ailingCount } = overview;
  return (
    <>
      <div className="figures">
        {POOL_STATES.map((state) => (
          <Figure key={state} value={pools[state]} to={state}>
            <StateMark state={state} />
          </Figure>
        ))}
        <Figure value={members.up} of={members.up + members.down + members.unchecked}>
          {say("overview.members")}
        </Figure>
        {nodes && (
          <>
            <Figure value={nodes.readyNodeCount} of={nodes.nodeCount}>
              {say("overview.nodes")}
            </Figure>
            <Figure value={nodes.flowCount}>{say("overview.flows")}</Figure>
          </>
        )}
      </div>
      <Panel title={say("overview.attention", { count: ailingCount })}>
        {ailing.length === 0 ? (
          <p className="dimmed">{say("overview.allWell")}</p>
        ) : (
          <ul className="ailing">
            {ailing.map((pool) => (
              <Ailing key={`${pool.namespace}/${pool.name}`} pool={pool} />
            ))}
          </ul>
        )}
        {ailingCount > ailing.length && (
          <p className="dimmed">{say("overview.shown", { count: ailing.length })}</p>
        )}
      </Panel>
    </>
  );
}

function Figure(props: {
  readonly value: number;
  readonly of?: number;
  readonly to?: (typeof POOL_STATES)[number];
  readonly children: ReactNode;
}) {
  const { value, of, to, children } = props;
  const text = of === undefined ? formatNumber(value) : `${formatNumber(value)} / ${formatNumber(of)}`;
  return (
    <Paper withBorder p="sm" className="figure">
      <div className="figure-value">{text}</div>
      <div>
        {to === undefined ? (
          children
        ) : (
          <TextLink to="/pools" search={{ state: to }} c="inherit">
            {children}
          </TextLink>
        )}
      </div>
    </Paper>
  );
}

function Ailing({ pool }: { readonly pool: AilingPool }) {
  const say = useTexts();
  const { namespace, name, state, isFailingOpen, members, memberCount } = pool;
  return (
    <li>
      <StateMark state={state} />{" "}
      <TextLink to="/pools/$namespace/$name" params={{ namespace, name }} fw={600}>
        {namespace}/{name}
      </TextLink>
      {isFailingOpen && (
        <span className="warning-word" title={say("members.failOpen.hint")}>
          {say("members.failOpen")}
        </span>
      )}
      <ul>
        {members.map(({ ip, port, reason, since }) => (
          <li key={`${ip}:${port}`}>
            <span className="mono">{formatAddress(ip, port)}</span> {reason}{" "}
            {since !== "" && (
              <span className="dimmed">
                <TimeAgo time={since} />
              </span>
            )}
          </li>
        ))}
        {memberCount > members.length && (
          <li>{say("overview.more", { count: memberCount - members.length })}</li>
        )}
      </ul>
    </li>
  );
}
