import { Loader, NativeSelect, Stack } from "@mantine/core";
import { useEffect, useState } from "react";
import type { KubeObject } from "../../../../src/model/object.ts";
import type { Operation } from "../../../../src/model/operation/operation.ts";
import { ConfirmDialog, FailureNote } from "../../components/confirm-dialog.tsx";
import { useTexts } from "../../i18n/use-texts.ts";
import { type ApiFailure, ask, objectPath } from "../../lib/api.ts";
import { formatTime } from "../../lib/format.ts";
import { tell } from "../../lib/tell.ts";
import { writableOf } from "../edit/draft.ts";
import { DifferenceTable } from "./difference-table.tsx";
import { type Difference, differences } from "./differences.ts";

/** What is rolled back: a pool, or one of its members. */
export interface RolledBackPart {
  readonly namespace: string;
  readonly pool: string;
  /** `ip:port`; absent: the whole pool, with the Service and the Endpoints that it comes from. */
  readonly member?: string;
}

/** One object of a rollback, and what would be different of it. */
interface PlannedObject {
  readonly title: string;
  readonly changes: readonly Difference[];
}

/** @param before Revision of the operation that is undone, and with it all later ones. */
function rollBack(
  { namespace, pool, member }: RolledBackPart,
  before: string,
  more: { readonly dryRun?: boolean; readonly reason?: string },
): Promise<{ readonly objects: readonly KubeObject[] }> {
  const revision = String(BigInt(before) - 1n);
  const body = { kind: "Pool", namespace, name: pool, revision, ...(member ? { member } : {}), ...more };
  return ask("/api/rollback", { method: "POST", body });
}

/** Makes a pool or one of its members as it was before one of the operations on it; shows first what that changes. */
export function HistoryRollbackDialog(props: {
  readonly part: RolledBackPart;
  readonly effect: string;
  /** The operations before which one may go back, of those that the record has. */
  readonly choose: (operations: readonly Operation[]) => readonly Operation[];
  /** What of an object is compared; default: everything that a person writes. */
  readonly look?: (object: KubeObject) => unknown;
  readonly onClose: () => void;
}) {
  const say = useTexts();
  const { part, choose, look = (object: KubeObject) => writableOf({ ...object }) } = props;
  const { namespace, pool, member } = part;
  const [operations, setOperations] = useState<readonly Operation[]>();
  const [chosen, setChosen] = useState<string>();
  const [planned, setPlanned] = useState<readonly PlannedObject[]>();
  const [failure, setFailure] = useState<ApiFailure>();
  const name = member ?? `${namespace}/${pool}`;
  // biome-ignore lint/correctness/useExhaustiveDependencies: who asks says once how he chooses
  useEffect(() => {
    const query = new URLSearchParams({ kind: "Pool", namespace, name: pool, ...(member ? { member } : {}) });
    ask<{ readonly items: readonly Operation[] }>(`/api/history?${query}`).then(({ items }) => {
      const found = choose(items);
      setOperations(found);
      setChosen(found[0]?.spec.revision);
    }, setFailure);
  }, [namespace, pool, member]);
  // biome-ignore lint/correctness/useExhaustiveDependencies: who asks says once what he looks at
  useEffect(() => {
    if (chosen === undefined) return;
    setFailure(undefined);
    setPlanned(undefined);
    const changesOf = async (next: KubeObject): Promise<PlannedObject> => {
      const { kind, metadata } = next;
      const current = await ask<KubeObject>(objectPath(kind, metadata.namespace, metadata.name));
      return {
        title: `${kind} ${metadata.namespace}/${metadata.name}`,
        changes: differences(look(current), look(next)),
      };
    };
    rollBack({ namespace, pool, ...(member ? { member } : {}) }, chosen, { dryRun: true })
      .then(({ objects }) => Promise.all(objects.map(changesOf)))
      .then((found) => setPlanned(found.filter(({ changes }) => changes.length > 0)), setFailure);
  }, [namespace, pool, member, chosen]);
  const confirm = async (reason: string) => {
    if (chosen !== undefined) await rollBack(part, chosen, reason === "" ? {} : { reason });
    tell(say("rollback.done", { name }));
  };
  return (
    <ConfirmDialog
      title={say("rollback.ask", { name })}
      confirm={say("rollback.confirm")}
      size="xl"
      isDisabled={!planned || planned.length === 0}
      onConfirm={confirm}
      onClose={props.onClose}
    >
      <Stack gap="sm">
        <div>{props.effect}</div>
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
        {planned?.length === 0 && <p className="dimmed">{say("edit.nothing")}</p>}
        {planned?.map(({ title, changes }) => (
          <section key={title}>
            {planned.length > 1 && <h3 className="change-title">{title}</h3>}
            <DifferenceTable of={title} changes={changes} />
          </section>
        ))}
      </Stack>
    </ConfirmDialog>
  );
}
