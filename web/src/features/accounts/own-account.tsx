import { Button, Group, PasswordInput, Stack } from "@mantine/core";
import { useState } from "react";
import type { AccountRow } from "../../../../src/model/console/account-views.ts";
import { ConfirmDialog } from "../../components/confirm-dialog.tsx";
import { Panel } from "../../components/panel.tsx";
import { useTexts } from "../../i18n/use-texts.ts";
import { loadSession } from "../../lib/session.ts";
import { tell } from "../../lib/tell.ts";
import { RoleList } from "./account-table.tsx";
import { changeOwnPassword } from "./account-writes.ts";
import { PasswordField } from "./password-field.tsx";
import { NewTokenDialog } from "./token-dialogs.tsx";

/** Who one is, what one may do, and the own password. */
export function OwnAccount({ account }: { readonly account: AccountRow }) {
  const say = useTexts();
  const [open, setOpen] = useState<"password" | "token">();
  const close = () => setOpen(undefined);
  return (
    <Panel title={say("account.own", { name: account.name })}>
      <RoleList account={account} />
      <Group gap="xs" mt="sm">
        <Button variant="default" onClick={() => setOpen("password")}>
          {say("account.changePassword")}
        </Button>
        <Button variant="default" onClick={() => setOpen("token")}>
          {say("token.new")}
        </Button>
      </Group>
      {open === "password" && <OwnPasswordDialog onClose={close} />}
      {open === "token" && <NewTokenDialog onClose={close} />}
    </Panel>
  );
}

function OwnPasswordDialog({ onClose }: { readonly onClose: () => void }) {
  const say = useTexts();
  const [current, setCurrent] = useState("");
  const [next, setNext] = useState("");
  const confirm = async () => {
    await changeOwnPassword(current, next);
    tell(say("account.changePassword.done"));
    await loadSession();
  };
  return (
    <ConfirmDialog
      title={say("account.changePassword")}
      confirm={say("account.changePassword")}
      hasReason={false}
      onConfirm={confirm}
      onClose={onClose}
    >
      <Stack gap="sm">
        <div>{say("account.changePassword.effect")}</div>
        <PasswordInput
          label={say("account.currentPassword")}
          autoComplete="current-password"
          required
          visibilityToggleButtonProps={{ "aria-label": say("login.show") }}
          value={current}
          onChange={(event) => setCurrent(event.currentTarget.value)}
        />
        <PasswordField value={next} isRequired onChange={setNext} />
      </Stack>
    </ConfirmDialog>
  );
}
