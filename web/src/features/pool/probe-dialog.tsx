import { Button, Group, Loader } from "@mantine/core";
import { useEffect, useState } from "react";
import type { MemberRow, ProbeAnswer } from "../../../../src/model/console/pool-views.ts";
import type { Pool } from "../../../../src/model/pool/pool.ts";
import { FailureNote } from "../../components/confirm-dialog.tsx";
import { Dialog } from "../../components/dialog.tsx";
import { StateMark } from "../../components/state-mark.tsx";
import { useTexts } from "../../i18n/use-texts.ts";
import { type ApiFailure, ask } from "../../lib/api.ts";
import { formatAddress, formatNumber } from "../../lib/format.ts";

/** Probes a member now: by the pool's check, and from every node. */
export function ProbeDialog(props: {
  readonly pool: Pool;
  readonly member: MemberRow;
  readonly onClose: () => void;
}) {
  const say = useTexts();
  const { pool, member, onClose } = props;
  const [answer, setAnswer] = useState<ProbeAnswer>();
  const [failure, setFailure] = useState<ApiFailure>();
  const name = formatAddress(member.ip, member.port);
  const { namespace = "", name: poolName } = pool.metadata;
  useEffect(() => {
    const url = `/api/console/pools/${encodeURIComponent(namespace)}/${encodeURIComponent(poolName)}/probe`;
    ask<ProbeAnswer>(url, { method: "POST", body: { member: name } }).then(setAnswer, setFailure);
  }, [namespace, poolName, name]);
  return (
    <Dialog title={say("probe.title", { name })} onClose={onClose}>
      <div role="status">
        {!answer && !failure && <Loader aria-label={say("probe.running")} />}
        {answer && <Answer answer={answer} />}
      </div>
      {failure && <FailureNote failure={failure} />}
      <Group justify="flex-end" mt="md">
        <Button onClick={onClose}>{say("dialog.close")}</Button>
      </Group>
    </Dialog>
  );
}

function Answer({ answer: { check, nodes, silentNodes } }: { readonly answer: ProbeAnswer }) {
  const say = useTexts();
  const duration = (ms: number) =>
    say("unit.milliseconds", { count: formatNumber(Math.round(ms * 10) / 10) });
  return (
    <dl className="facts">
      <div>
        <dt>{say("pool.healthCheck")}</dt>
        <dd>
          {check ? `${check.code} ${check.snippet} (${duration(check.durationMs)})` : say("probe.notHere")}
        </dd>
      </div>
      {nodes.map(({ node, isConnected, reason, latencyMs }) => (
        <div key={node}>
          <dt>{say("explain.node", { name: node })}</dt>
          <dd>
            <StateMark
              state={isConnected ? "up" : "down"}
              text={isConnected ? say("probe.reached", { time: duration(latencyMs) }) : reason}
            />
          </dd>
        </div>
      ))}
      {silentNodes.length > 0 && (
        <div>
          <dt>{say("probe.silent")}</dt>
          <dd>{silentNodes.join(", ")}</dd>
        </div>
      )}
    </dl>
  );
}
