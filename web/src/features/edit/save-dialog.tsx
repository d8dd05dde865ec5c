import { ConfirmDialog } from "../../components/confirm-dialog.tsx";
import { useTexts } from "../../i18n/use-texts.ts";
import { DifferenceTable } from "../operations/difference-table.tsx";
import { differences } from "../operations/differences.ts";
import type { Draft } from "./draft.ts";
import { effectsOf } from "./effects.ts";

/** Shows what will change, and what that does to traffic, before it is saved. The server has checked it already. */
export function SaveDialog(props: {
  /** Absent: it is new. */
  readonly before: Draft | undefined;
  readonly after: Draft;
  readonly onSave: (reason: string) => Promise<void>;
  readonly onClose: () => void;
}) {
  const say = useTexts();
  const { before, after } = props;
  const changes = differences(before, after);
  const effects = before ? effectsOf(before, after) : [];
  return (
    <ConfirmDialog
      title={say("edit.review")}
      confirm={say("edit.save")}
      size="xl"
      onConfirm={props.onSave}
      onClose={props.onClose}
    >
      {changes.length === 0 ? <p>{say("edit.nothing")}</p> : <DifferenceTable changes={changes} />}
      <ul>
        {before === undefined && <li>{say("effect.new")}</li>}
        {effects.map(({ kind, member }) => (
          <li key={`${kind} ${member}`}>{say(`effect.${kind}`, { member })}</li>
        ))}
        {before !== undefined && changes.length > 0 && <li>{say("effect.others")}</li>}
      </ul>
    </ConfirmDialog>
  );
}
