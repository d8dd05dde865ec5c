import { Stack, TextInput } from "@mantine/core";
import { useState } from "react";
import type { AccountRow } from "../../../../src/model/console/account-views.ts";
import { ConfirmDialog } from "../../components/confirm-dialog.tsx";
import { useTexts } from "../../i18n/use-texts.ts";
import { tell } from "../../lib/tell.ts";
import {
  createAccount,
  deleteAccount,
  type Roles,
  setDisabled,
  setPassword,
  setRoles,
} from "./account-writes.ts";
import { PasswordField } from "./password-field.tsx";
import { RoleFields } from "./role-fields.tsx";

const NO_ROLES: Roles = { role: undefined, bound: [] };

interface DialogProps {
  readonly account: AccountRow;
  readonly onClose: () => void;
}

/** Lets somebody in, or a program. */
export function NewAccountDialog({ onClose }: { readonly onClose: () => void }) {
  const say = useTexts();
  const [name, setName] = useState("");
  const [displayName, setDisplayName] = useState("");
  const [password, choosePassword] = useState("");
  const [roles, chooseRoles] = useState(NO_ROLES);
  return (
    <ConfirmDialog
      title={say("account.new")}
      confirm={say("account.create")}
      size="lg"
      onConfirm={(reason) => createAccount({ name: name.trim(), displayName, password, roles }, reason)}
      onClose={onClose}
    >
      <Stack gap="sm">
        <TextInput
          label={say("login.name")}
          description={say("account.name.hint")}
          required
          data-autofocus
          autoComplete="off"
          value={name}
          onChange={(event) => setName(event.currentTarget.value)}
        />
        <TextInput
          label={say("account.displayName")}
          autoComplete="off"
          value={displayName}
          onChange={(event) => setDisplayName(event.currentTarget.value)}
        />
        <PasswordField value={password} onChange={choosePassword} />
        <RoleFields value={roles} onChange={chooseRoles} />
      </Stack>
    </ConfirmDialog>
  );
}

/** What an account may do. */
export function RolesDialog({ account, onClose }: DialogProps) {
  const say = useTexts();
  const { role, bound } = account;
  const [roles, chooseRoles] = useState<Roles>({
    role,
    bound: bound.map(({ namespace, role: own }) => ({ namespace, role: own })),
  });
  return (
    <ConfirmDialog
      title={say("account.ask.roles", { name: account.name })}
      confirm={say("edit.save")}
      size="lg"
      onConfirm={(reason) => setRoles(account, roles, reason)}
      onClose={onClose}
    >
      <Stack gap="sm">
        <div>{say("account.effect.roles")}</div>
        <RoleFields value={roles} onChange={chooseRoles} />
      </Stack>
    </ConfirmDialog>
  );
}

/** Another password for somebody who has lost his. */
export function PasswordDialog({ account: { name }, onClose }: DialogProps) {
  const say = useTexts();
  const [password, choosePassword] = useState("");
  const confirm = async () => {
    await setPassword(name, password);
    tell(say("account.password.done", { name }));
  };
  return (
    <ConfirmDialog
      title={say("account.ask.password", { name })}
      confirm={say("account.do.password")}
      hasReason={false}
      onConfirm={confirm}
      onClose={onClose}
    >
      <Stack gap="sm">
        <div>{say("account.effect.password")}</div>
        <PasswordField value={password} isRequired onChange={choosePassword} />
      </Stack>
    </ConfirmDialog>
  );
}

/** Lets an account in no more, or again. */
export function SwitchDialog({ account: { name, isDisabled }, onClose }: DialogProps) {
  const say = useTexts();
  const action = isDisabled ? "enable" : "disable";
  return (
    <ConfirmDialog
      title={say(`account.ask.${action}`, { name })}
      confirm={say(`account.do.${action}`)}
      isDangerous={!isDisabled}
      onConfirm={(reason) => setDisabled(name, !isDisabled, reason)}
      onClose={onClose}
    >
      {say(`account.effect.${action}`)}
    </ConfirmDialog>
  );
}

/** Deletes an account with its roles. */
export function DeleteAccountDialog({ account, onClose }: DialogProps) {
  const say = useTexts();
  return (
    <ConfirmDialog
      title={say("delete.title", { name: account.name })}
      confirm={say("delete.confirm")}
      isDangerous
      onConfirm={(reason) => deleteAccount(account, reason)}
      onClose={onClose}
    >
      {say("account.effect.delete")}
    </ConfirmDialog>
  );
}
