import { Alert, Button, Center, Loader, Stack } from "@mantine/core";
import { getRouteApi, useNavigate } from "@tanstack/react-router";
import { useState } from "react";
import type { PoolDetail } from "../../../../src/model/console/pool-views.ts";
import { ButtonLink } from "../../components/button-link.tsx";
import { PageHead } from "../../components/page-head.tsx";
import { Panel } from "../../components/panel.tsx";
import { TextLink } from "../../components/text-link.tsx";
import { useTexts } from "../../i18n/use-texts.ts";
import { useMay } from "../../lib/session.ts";
import { useView } from "../../lib/use-view.ts";
import { OperationTable } from "../operations/operation-table.tsx";
import { DeletePoolDialog } from "../pools/delete-pool-dialog.tsx";
import { MemberTable } from "./member-table.tsx";
import { PoolConditions } from "./pool-conditions.tsx";
import { PoolFacts } from "./pool-facts.tsx";
import { PoolTimeline } from "./pool-timeline.tsx";
import { PoolTraffic } from "./pool-traffic.tsx";

const route = getRouteApi("/pools/$namespace/$name");

/** One pool: what it is, how its members are and why, its traffic, and what was done to it. */
export function PoolPage() {
  const { namespace, name } = route.useParams();
  const say = useTexts();
  const view = useView<PoolDetail>(
    `/api/console/pools/${encodeURIComponent(namespace)}/${encodeURIComponent(name)}`,
  );
  const mayChange = useMay()("operator", namespace);
  const detail = view.value;
  return (
    <>
      <TextLink to="/pools" size="sm">
        {say("pool.back")}
      </TextLink>
      <PageHead title={`${namespace}/${name}`} view={view}>
        {detail && mayChange && <HeadActions detail={detail} />}
      </PageHead>
      {!detail && !view.failure && (
        <Center mih={200}>
          <Loader role="status" aria-label={say("app.loading")} />
        </Center>
      )}
      {detail && <PoolContent detail={detail} />}
    </>
  );
}

function HeadActions({ detail }: { readonly detail: PoolDetail }) {
  const say = useTexts();
  const navigate = useNavigate();
  const [isDeleting, setDeleting] = useState(false);
  const { namespace = "", name, uid = "" } = detail.pool.metadata;
  const { service } = detail;
  return (
    <>
      <ButtonLink to="/pools/$namespace/$name/edit" params={{ namespace, name }}>
        {say("edit.edit")}
      </ButtonLink>
      <Button variant="default" className="danger" onClick={() => setDeleting(true)}>
        {say("delete.confirm")}
      </Button>
      {isDeleting && (
        <DeletePoolDialog
          pool={{ namespace, name, uid, service }}
          onClose={() => setDeleting(false)}
          onDone={() => void navigate({ to: "/pools", search: {} })}
        />
      )}
    </>
  );
}

function PoolContent({ detail }: { readonly detail: PoolDetail }) {
  const say = useTexts();
  const { isFailingOpen, silentNodes, operations } = detail;
  return (
    <Stack gap="md">
      {isFailingOpen && (
        <Alert color="yellow" role="alert" title={say("members.failOpen")}>
          {say("members.failOpen.hint")}
        </Alert>
      )}
      <PoolFacts detail={detail} />
      <PoolConditions conditions={detail.pool.status?.conditions ?? []} />
      <Panel title={say("pool.members", { count: detail.members.length })}>
        <MemberTable detail={detail} />
      </Panel>
      <Panel title={say("pool.traffic")}>
        {silentNodes.length > 0 && (
          <p className="dimmed">{say("pool.silentNodes", { nodes: silentNodes.join(", ") })}</p>
        )}
        <PoolTraffic detail={detail} />
      </Panel>
      <Panel title={say("pool.timeline")}>
        <PoolTimeline detail={detail} />
      </Panel>
      <Panel title={say("operations.title")}>
        <OperationTable rows={operations} isOfOneObject />
      </Panel>
    </Stack>
  );
}
