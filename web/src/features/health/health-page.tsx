import { Alert, Button, Group, Stack } from "@mantine/core";
import { getRouteApi } from "@tanstack/react-router";
import { useState } from "react";
import type { HealthReport, NodeRow } from "../../../../src/model/console/fleet-views.ts";
import { PageHead } from "../../components/page-head.tsx";
import { Panel } from "../../components/panel.tsx";
import { SearchField } from "../../components/search-field.tsx";
import { TextLink } from "../../components/text-link.tsx";
import { TimeAgo } from "../../components/time-ago.tsx";
import { useTexts } from "../../i18n/use-texts.ts";
import { formatNumber } from "../../lib/format.ts";
import { useView } from "../../lib/use-view.ts";
import { readOperationSearch } from "../operations/operation-search.ts";
import { DownTable } from "./down-table.tsx";

const STEP_COUNT = 100;
const LONGEST_COUNT = 500;
const route = getRouteApi("/health");

/** What is down, why and since when; what is ignored because too little is up. */
export function HealthPage() {
  const say = useTexts();
  const { search = "" } = route.useSearch();
  const navigate = route.useNavigate();
  const [limit, setLimit] = useState(STEP_COUNT);
  const view = useView<HealthReport>(
    `/api/console/health?${new URLSearchParams({ search, limit: String(limit) })}`,
  );
  const look = (text: string) =>
    void navigate({ search: readOperationSearch({ search: text }), replace: true });
  const report = view.value;
  return (
    <>
      <PageHead title={say("health.title")} view={view} />
      {report && (
        <Stack gap="md">
          <FailOpenBanner report={report} />
          {report.nodes?.map((node) => (
            <NodeBanner key={node.name} node={node} />
          ))}
          <Panel title={say("health.down", { count: formatNumber(report.members.down) })}>
            <p className="dimmed">
              {say("health.members", {
                up: formatNumber(report.members.up),
                unchecked: formatNumber(report.members.unchecked),
              })}
            </p>
            <SearchField
              value={search}
              placeholder={say("health.search.placeholder")}
              hint={say("health.search.hint")}
              onChange={look}
            />
            <Reasons report={report} onChoose={(code) => look(`reason:${code}`)} />
            {report.matchCount === 0 ? (
              <p className="dimmed">{say(report.members.down === 0 ? "health.allUp" : "pools.noMatch")}</p>
            ) : (
              <DownTable rows={report.rows} />
            )}
            {report.matchCount > report.rows.length && limit < LONGEST_COUNT && (
              <Group justify="center" mt="md">
                <Button variant="default" onClick={() => setLimit(LONGEST_COUNT)}>
                  {say("operations.more")}
                </Button>
              </Group>
            )}
          </Panel>
        </Stack>
      )}
    </>
  );
}

function FailOpenBanner({ report: { failingOpen, failingOpenCount } }: { readonly report: HealthReport }) {
  const say = useTexts();
  if (failingOpenCount === 0) return null;
  return (
    <Alert color="yellow" role="alert" title={say("health.failOpen", { count: failingOpenCount })}>
      <p>{say("members.failOpen.hint")}</p>
      <ul className="plain-list">
        {failingOpen.map(({ namespace, name, upCount, memberCount }) => (
          <li key={`${namespace}/${name}`}>
            <TextLink
              to="/pools/$namespace/$name"
              params={{ namespace, name }}
              size="sm"
              c="inherit"
              underline="always"
            >
              {namespace}/{name}
            </TextLink>{" "}
            {say("members.up", { up: upCount, count: memberCount })}
          </li>
        ))}
      </ul>
      {failingOpenCount > failingOpen.length &&
        say("overview.more", { count: failingOpenCount - failingOpen.length })}
    </Alert>
  );
}

function NodeBanner({ node: { name, heartbeat, problems } }: { readonly node: NodeRow }) {
  const say = useTexts();
  return (
    <Alert color="red" role="alert" title={say("health.node", { name })}>
      {problems.map(({ type, message }) => (
        <div key={type}>
          {type}: {message}
        </div>
      ))}
      {heartbeat !== "" && (
        <div>
          {say("nodes.column.heard")}: <TimeAgo time={heartbeat} />
        </div>
      )}
    </Alert>
  );
}

function Reasons(props: { readonly report: HealthReport; readonly onChoose: (code: string) => void }) {
  const say = useTexts();
  return (
    <Group gap="xs" my="xs">
      {props.report.reasons.map(({ code, count }) => (
        <Button
          key={code}
          size="compact-sm"
          variant="default"
          aria-label={say("health.reason", { code, count })}
          onClick={() => props.onChoose(code)}
        >
          <span className="mono">{code}</span>&nbsp;{formatNumber(count)}
        </Button>
      ))}
    </Group>
  );
}
