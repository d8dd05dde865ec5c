import { Alert, Button, NativeSelect, Paper, TextInput } from "@mantine/core";
import { type FormEvent, useState } from "react";
import type { FlowExplanation } from "../../../../src/model/node/forwarding.ts";
import { FailureNote } from "../../components/confirm-dialog.tsx";
import { PageHead } from "../../components/page-head.tsx";
import { Panel } from "../../components/panel.tsx";
import { TextLink } from "../../components/text-link.tsx";
import { useTexts } from "../../i18n/use-texts.ts";
import { type ApiFailure, ask } from "../../lib/api.ts";
import { formatAddress, formatNumber } from "../../lib/format.ts";
import { splitAddress } from "./split-address.ts";

interface Answers {
  readonly answers: readonly (FlowExplanation & {
    readonly node: string;
    readonly pool?: { readonly namespace: string; readonly name: string };
  })[];
  readonly silentNodes: readonly string[];
}

/** A flow in, what the nodes' kernels made of it out. */
export function ExplainPage() {
  const say = useTexts();
  const [protocol, setProtocol] = useState("TCP");
  const [client, setClient] = useState("");
  const [address, setAddress] = useState("");
  const [answers, setAnswers] = useState<Answers>();
  const [failure, setFailure] = useState<ApiFailure>();
  const [isAsked, setAsked] = useState(false);
  const [from, to] = [splitAddress(client), splitAddress(address)];
  const explain = async (event: FormEvent) => {
    event.preventDefault();
    setAsked(true);
    if (!from || !to) return;
    setFailure(undefined);
    try {
      const body = { protocol, clientIp: from.ip, clientPort: from.port, ip: to.ip, port: to.port };
      setAnswers(await ask<Answers>("/internal/v1/explain", { method: "POST", body }));
    } catch (refusal) {
      setFailure(refusal as ApiFailure);
    }
  };
  const complaint = (part: unknown) => (isAsked && !part ? say("explain.malformed") : undefined);
  return (
    <>
      <PageHead title={say("explain.title")} />
      <p className="dimmed">{say("explain.hint")}</p>
      <Paper component="form" withBorder p="md" mb="md" onSubmit={(event) => void explain(event)}>
        <div className="explain-form">
          <NativeSelect
            label={say("pools.column.protocol")}
            value={protocol}
            data={["TCP", "UDP", "SCTP"]}
            onChange={(event) => setProtocol(event.currentTarget.value)}
          />
          <TextInput
            label={say("explain.client")}
            placeholder="10.0.0.7:51234"
            value={client}
            error={complaint(from)}
            onChange={(event) => setClient(event.currentTarget.value)}
          />
          <TextInput
            label={say("pool.address")}
            placeholder="10.0.0.5:30080"
            value={address}
            error={complaint(to)}
            onChange={(event) => setAddress(event.currentTarget.value)}
          />
          <Button type="submit">{say("explain.ask")}</Button>
        </div>
      </Paper>
      {failure && <FailureNote failure={failure} />}
      <div role="status">{answers && !failure && <Result answers={answers} />}</div>
    </>
  );
}

function Result({ answers: { answers, silentNodes } }: { readonly answers: Answers }) {
  const say = useTexts();
  return (
    <>
      {silentNodes.length > 0 && (
        <Alert color="yellow" mb="md" title={say("explain.silent", { nodes: silentNodes.join(", ") })} />
      )}
      {answers.length === 0 && <Alert color="gray" title={say("explain.none")} />}
      {answers.map(({ node, pool, ...flow }) => (
        <Panel key={node} title={say("explain.node", { name: node })}>
          <dl className="facts">
            <div>
              <dt>{say("pools.column.name")}</dt>
              <dd>
                {pool ? (
                  <TextLink to="/pools/$namespace/$name" params={pool}>
                    {pool.namespace}/{pool.name}
                  </TextLink>
                ) : (
                  flow.poolUid
                )}
              </dd>
            </div>
            <div>
              <dt>{say("member.column.member")}</dt>
              <dd>
                {formatAddress(flow.memberIp, flow.memberPort)} ·{" "}
                {say(`disposition.${flow.memberDisposition}`)}
              </dd>
            </div>
            <div>
              <dt>{say("pools.column.state")}</dt>
              <dd>{say(`flow.${flow.state}`)}</dd>
            </div>
            <div>
              <dt>{say("explain.why")}</dt>
              <dd>{say(`why.${flow.why}`)}</dd>
            </div>
            <div>
              <dt>{say("explain.idle")}</dt>
              <dd>{say("unit.seconds", { count: formatNumber(Math.round(flow.idleMs / 1_000)) })}</dd>
            </div>
            {flow.translatedSource !== undefined && (
              <div>
                <dt>{say("explain.source")}</dt>
                <dd>{flow.translatedSource}</dd>
              </div>
            )}
          </dl>
        </Panel>
      ))}
    </>
  );
}
