import type { PlannedObject } from "../../../../src/model/plan/plan.ts";
import { ConfirmDialog } from "../../components/confirm-dialog.tsx";
import { useTexts } from "../../i18n/use-texts.ts";
import { DifferenceTable } from "../operations/difference-table.tsx";
import { PlanTable } from "./plan-table.tsx";

/** Shows what will change, and what that does to traffic, before it is saved. The server has checked it already. */
export function SaveDialog(props: {
  /** What saving changes: the pool, and the Service and Endpoints that it comes from. */
  readonly objects: readonly PlannedObject[];
  readonly isNew: boolean;
  readonly onSave: (reason: string) => Promise<void>;
  readonly onClose: () => void;
}) {
  const say = useTexts();
  const changed = props.objects.filter(({ changes }) => changes.length > 0);
  return (
    <ConfirmDialog
      title={say("edit.review")}
      confirm={say("edit.save")}
      size="xl"
      onConfirm={props.onSave}
      onClose={props.onClose}
    >
      {changed.length === 0 && <p>{say("edit.nothing")}</p>}
      {changed.map(({ changes, ...object }) => (
        <section key={titleOf(object)}>
          {changed.length > 1 && <h3 className="change-title">{titleOf(object)}</h3>}
          <DifferenceTable of={titleOf(object)} changes={changes.map(shown)} />
        </section>
      ))}
      {props.isNew && <p>{say("effect.new")}</p>}
      {props.objects.map(({ warnings }) => warnings.map((warning) => <p key={warning}>{warning}</p>))}
      {changed.map(({ name, traffic }) => traffic && <PlanTable key={name} traffic={traffic} />)}
    </ConfirmDialog>
  );
}

function titleOf({ kind, namespace, name }: Pick<PlannedObject, "kind" | "namespace" | "name">): string {
  return `${kind} ${namespace}/${name}`;
}

function shown({ field, before, after }: PlannedObject["changes"][number]) {
  return {
    field,
    ...(before === undefined ? {} : { before: textOf(before) }),
    ...(after === undefined ? {} : { after: textOf(after) }),
  };
}

function textOf(value: unknown): string {
  return typeof value === "string" ? value : JSON.stringify(value);
}
