import type { PlannedTraffic } from "../../../../src/model/plan/plan.ts";
import { ConfirmDialog } from "../../components/confirm-dialog.tsx";
import { useTexts } from "../../i18n/use-texts.ts";
import { DifferenceTable } from "../operations/difference-table.tsx";
import { differences } from "../operations/differences.ts";
import type { Draft } from "./draft.ts";
import { PlanTable } from "./plan-table.tsx";

/** Shows what will change, and what that does to traffic, before it is saved. The server has checked it already. */
export function SaveDialog(props: {
  /** Absent: it is new. */
  readonly before: Draft | undefined;
  readonly after: Draft;
  /** What that does to traffic; absent: nothing. */
  readonly traffic: PlannedTraffic | undefined;
  readonly onSave: (reason: string) => Promise<void>;
  readonly onClose: () => void;
}) {
  const say = useTexts();
  const { before, after, traffic } = props;
  const changes = differences(before, after);
  return (
    <ConfirmDialog
      title={say("edit.review")}
      confirm={say("edit.save")}
      size="xl"
      onConfirm={props.onSave}
      onClose={props.onClose}
    >
      {changes.length === 0 ? <p>{say("edit.nothing")}</p> : <DifferenceTable changes={changes} />}
      {before === undefined && <p>{say("effect.new")}</p>}
      {traffic && <PlanTable traffic={traffic} />}
    </ConfirmDialog>
  );
}
