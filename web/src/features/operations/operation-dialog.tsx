import { Button, Group, Loader } from "@mantine/core";
import { useEffect, useState } from "react";
import type { OperationRow } from "../../../../src/model/console/operation-views.ts";
import type { Operation } from "../../../../src/model/operation/operation.ts";
import { ConfirmDialog, FailureNote } from "../../components/confirm-dialog.tsx";
import { Dialog } from "../../components/dialog.tsx";
import { useTexts } from "../../i18n/use-texts.ts";
import { type ApiFailure, ask } from "../../lib/api.ts";
import { formatTime } from "../../lib/format.ts";
import { useMay } from "../../lib/session.ts";
import { tell } from "../../lib/tell.ts";
import { DifferenceTable } from "./difference-table.tsx";
import { differences } from "./differences.ts";

/** What an operation changed, field by field, and the way back to how the object was after it. */
export function OperationDialog(props: { readonly row: OperationRow; readonly onClose: () => void }) {
  const say = useTexts();
  const { row, onClose } = props;
  const [operation, setOperation] = useState<Operation>();
  const [failure, setFailure] = useState<ApiFailure>();
  const [isRollingBack, setRollingBack] = useState(false);
  useEffect(() => {
    const url = `/api/console/operations/${encodeURIComponent(row.name)}`;
    ask<Operation>(url).then(setOperation, setFailure);
  }, [row.name]);
  if (operation && isRollingBack) return <RollbackDialog operation={operation} onClose={onClose} />;
  return (
    <Dialog
      size="xl"
      onClose={onClose}
      title={`${say(`verb.${row.verb}`)} · ${row.operator} · ${formatTime(row.time)}`}
    >
      {failure && <FailureNote failure={failure} />}
      {!operation && !failure && <Loader role="status" aria-label={say("app.loading")} />}
      {operation && <Changes operation={operation} onRollBack={() => setRollingBack(true)} />}
    </Dialog>
  );
}

function Changes(props: { readonly operation: Operation; readonly onRollBack: () => void }) {
  const say = useTexts();
  const { spec } = props.operation;
  const { message, also = [], reason, source, credential, object } = spec;
  const mayRollBack = useMay()("operator", object.namespace);
  const facts = [
    ["operations.column.reason", reason],
    ["operations.message", message],
    ["operations.source", source],
    ["operations.credential", credential],
  ] as const;
  return (
    <>
      <dl className="facts">
        {facts.map(
          ([text, value]) =>
            value !== undefined && (
              <div key={text}>
                <dt>{say(text)}</dt>
                <dd>{value}</dd>
              </div>
            ),
        )}
      </dl>
      {[spec, ...also].map(({ object: each, before, after }) => (
        <ObjectChange key={`${each.kind} ${each.name}`} object={each} before={before} after={after} />
      ))}
      {mayRollBack && canRollBack(props.operation) && (
        <Group justify="flex-end" mt="md">
          <Button variant="default" onClick={props.onRollBack}>
            {say(spec.verb === "delete" ? "rollback.restore" : "rollback.do")}
          </Button>
        </Group>
      )}
    </>
  );
}

function ObjectChange(props: Pick<Operation["spec"], "object" | "before" | "after">) {
  const changes = differences(props.before, props.after);
  if (changes.length === 0) return null;
  const { kind, namespace, name } = props.object;
  return (
    <>
      <h3 className="change-title">
        {kind} {namespace === undefined ? name : `${namespace}/${name}`}
      </h3>
      <DifferenceTable changes={changes} />
    </>
  );
}

/** Logins and the like changed no object; tokens are not brought back. */
function canRollBack({ spec }: Operation): boolean {
  const { before, after, object } = spec;
  return (before !== undefined || after !== undefined) && spec.revision !== "" && object.kind !== "ApiToken";
}

function RollbackDialog(props: { readonly operation: Operation; readonly onClose: () => void }) {
  const say = useTexts();
  const { spec } = props.operation;
  const { kind, namespace, name } = spec.object;
  const isDeleted = spec.verb === "delete";
  const label = namespace === undefined ? name : `${namespace}/${name}`;
  const confirm = async (reason: string) => {
    await ask("/api/rollback", {
      method: "POST",
      body: {
        ...{ kind, name },
        // Right before it was deleted.
        revision: isDeleted ? String(BigInt(spec.revision) - 1n) : spec.revision,
        ...(namespace === undefined ? {} : { namespace }),
        ...(reason === "" ? {} : { reason }),
      },
    });
    tell(say("rollback.done", { name: label }));
  };
  return (
    <ConfirmDialog
      title={say("rollback.ask", { name: label })}
      confirm={say("rollback.confirm")}
      onConfirm={confirm}
      onClose={props.onClose}
    >
      {isDeleted
        ? say("rollback.restoreEffect")
        : say("rollback.effect", { time: formatTime(spec.time), operator: spec.operator })}
    </ConfirmDialog>
  );
}
