import { Alert, Button, Group, Stack, Text, TextInput } from "@mantine/core";
import { type ReactNode, useState } from "react";
import { useTexts } from "../i18n/use-texts.ts";
import type { ApiFailure } from "../lib/api.ts";
import { Dialog } from "./dialog.tsx";

/** Asks whether something is really meant, and why; stays open with the refusal when it is refused. */
export function ConfirmDialog(props: {
  readonly title: string;
  readonly children: ReactNode;
  readonly confirm: string;
  readonly isDangerous?: boolean;
  /** Default: as wide as a sentence. */
  readonly size?: "md" | "lg" | "xl";
  /** Default true: asks why, for the record. */
  readonly hasReason?: boolean;
  /** There is nothing to confirm yet. */
  readonly isDisabled?: boolean;
  /** Whoever asks closes it, not what was confirmed. */
  readonly staysOpen?: boolean;
  readonly onConfirm: (reason: string) => Promise<void>;
  readonly onClose: () => void;
}) {
  const say = useTexts();
  const [reason, setReason] = useState("");
  const [isBusy, setBusy] = useState(false);
  const [failure, setFailure] = useState<ApiFailure>();
  const confirm = async () => {
    setBusy(true);
    setFailure(undefined);
    try {
      await props.onConfirm(reason.trim());
      if (!props.staysOpen) props.onClose();
    } catch (refusal) {
      setFailure(refusal as ApiFailure);
      setBusy(false);
    }
  };
  return (
    <Dialog title={props.title} size={props.size} onClose={props.onClose}>
      <form
        onSubmit={(event) => {
          event.preventDefault();
          void confirm();
        }}
      >
        <Stack>
          <Text component="div">{props.children}</Text>
          {props.hasReason !== false && (
            <TextInput
              label={say("dialog.reason")}
              description={say("dialog.reason.hint")}
              value={reason}
              onChange={(event) => setReason(event.currentTarget.value)}
              data-autofocus
            />
          )}
          {failure && <FailureNote failure={failure} />}
          <Group justify="flex-end">
            <Button variant="default" onClick={props.onClose}>
              {say("dialog.cancel")}
            </Button>
            <Button
              type="submit"
              loading={isBusy}
              disabled={props.isDisabled === true}
              {...(props.isDangerous ? { color: "red.9" } : {})}
            >
              {props.confirm}
            </Button>
          </Group>
        </Stack>
      </form>
    </Dialog>
  );
}

/** What the server said against it. */
export function FailureNote({ failure }: { readonly failure: ApiFailure }) {
  const say = useTexts();
  return (
    <Alert color="red" role="alert" title={say(failure.code === 0 ? "failure.unreachable" : "failure.title")}>
      {failure.message}
    </Alert>
  );
}
