import { Loader, NativeSelect, Stack } from "@mantine/core";
import { useEffect, useState } from "react";
import type { MemberRow } from "../../../../src/model/console/pool-views.ts";
import type { Operation } from "../../../../src/model/operation/operation.ts";
import type { Pool } from "../../../../src/model/pool/pool.ts";
import { ConfirmDialog, FailureNote } from "../../components/confirm-dialog.tsx";
import { useTexts } from "../../i18n/use-texts.ts";
import { type ApiFailure, ask } from "../../lib/api.ts";
import { formatAddress, formatTime } from "../../lib/format.ts";
import { tell } from "../../lib/tell.ts";
import { DifferenceTable } from "../operations/difference-table.tsx";
import { differences } from "../operations/differences.ts";
import { memberIn, operationsOn } from "./member-history.ts";

interface RolledBack {
  readonly objects: readonly Pool[];
}

interface MemberRollback {
  readonly namespace: string;
  readonly name: string;
  readonly member: string;
  /** Revision of the operation that is undone, and with it all later ones. */
  readonly before: string;
  readonly dryRun: boolean;
  readonly reason?: string;
}

function rollBackMember({ before, reason, ...asked }: MemberRollback): Promise<RolledBack> {
  const revision = String(BigInt(before) - 1n);
  const body = { kind: "Pool", ...asked, revision, ...(reason ? { reason } : {}) };
  return ask<RolledBack>("/api/rollback", { method: "POST", body });
}

/** Makes one member as it was before one of the operations that changed it; the others stay as they are. */
export function MemberRollbackDialog(props: {
  readonly pool: Pool;
  readonly member: MemberRow;
  readonly onClose: () => void;
}) {
  const say = useTexts();
  const { pool, member } = props;
  const [operations, setOperations] = useState<readonly Operation[]>();
  const [chosen, setChosen] = useState<string>();
  const [planned, setPlanned] = useState<Pool>();
  const [failure, setFailure] = useState<ApiFailure>();
  const { ip, port } = member;
  const name = formatAddress(ip, port);
  const { namespace = "", name: poolName } = pool.metadata;
  useEffect(() => {
    const query = new URLSearchParams({ kind: "Pool", namespace, name: poolName, member: name });
    ask<{ readonly items: readonly Operation[] }>(`/api/history?${query}`).then(({ items }) => {
      const found = operationsOn(items, { ip, port });
      setOperations(found);
      setChosen(found[0]?.spec.revision);
    }, setFailure);
  }, [namespace, poolName, name, ip, port]);
  useEffect(() => {
    if (chosen === undefined) return;
    setFailure(undefined);
    setPlanned(undefined);
    const asked = { namespace, name: poolName, member: name, before: chosen, dryRun: true };
    rollBackMember(asked).then(({ objects }) => setPlanned(objects[0]), setFailure);
  }, [namespace, poolName, name, chosen]);
  const confirm = async (reason: string) => {
    const asked = { namespace, name: poolName, member: name, dryRun: false, reason };
    if (chosen !== undefined) await rollBackMember({ ...asked, before: chosen });
    tell(say("rollback.done", { name }));
  };
  const changes = planned ? differences(memberIn(pool, member), memberIn(planned, member)) : [];
  return (
    <ConfirmDialog
      title={say("rollback.ask", { name })}
      confirm={say("rollback.confirm")}
      size="xl"
      isDisabled={!planned || changes.length === 0}
      onConfirm={confirm}
      onClose={props.onClose}
    >
      <Stack gap="sm">
        <div>{say("rollback.memberEffect")}</div>
        {operations?.length === 0 && <p className="dimmed">{say("operations.none")}</p>}
        {operations && operations.length > 0 && (
          <NativeSelect
            label={say("rollback.before")}
            value={chosen ?? ""}
            data={operations.map(({ spec }) => ({
              value: spec.revision,
              label: `${formatTime(spec.time)} · ${spec.operator} · ${say(`verb.${spec.verb}`)}`,
            }))}
            onChange={(event) => setChosen(event.currentTarget.value)}
          />
        )}
        {!operations && !failure && <Loader role="status" aria-label={say("app.loading")} />}
        {failure && <FailureNote failure={failure} />}
        {planned && changes.length === 0 && <p className="dimmed">{say("edit.nothing")}</p>}
        {changes.length > 0 && <DifferenceTable changes={changes} />}
      </Stack>
    </ConfirmDialog>
  );
}
