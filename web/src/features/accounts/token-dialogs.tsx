import { Alert, Button, Group, NumberInput, Stack, TextInput } from "@mantine/core";
import { useState } from "react";
import type { Role } from "../../../../src/model/access/access.ts";
import type { TokenRow } from "../../../../src/model/console/account-views.ts";
import { ConfirmDialog } from "../../components/confirm-dialog.tsx";
import { Dialog } from "../../components/dialog.tsx";
import { useTexts } from "../../i18n/use-texts.ts";
import { createToken, revokeToken } from "./account-writes.ts";
import { RoleSelect } from "./role-fields.tsx";

const USUAL_DAYS = 30;
const MOST_DAYS = 366;

/** Makes a token for an account, then shows it once. */
export function NewTokenDialog(props: {
  /** Absent: for whoever has logged in. */
  readonly account?: { readonly name: string };
  readonly onClose: () => void;
}) {
  const say = useTexts();
  const [name, setName] = useState("");
  const [lifetimeDays, setLifetimeDays] = useState(USUAL_DAYS);
  const [role, setRole] = useState<Role>();
  const [namespaces, setNamespaces] = useState("");
  const [description, setDescription] = useState("");
  const [token, setToken] = useState<string>();
  const account = props.account?.name ?? "";
  if (token !== undefined) return <TokenShown token={token} onClose={props.onClose} />;
  const confirm = async () => {
    const inNamespaces = namespaces.split(/[\s,，]+/).filter((each) => each !== "");
    const asked = { account, name: name.trim(), lifetimeDays, role, namespaces: inNamespaces, description };
    setToken(await createToken(asked));
  };
  return (
    <ConfirmDialog
      title={account === "" ? say("token.new") : say("token.newFor", { name: account })}
      confirm={say("account.create")}
      hasReason={false}
      staysOpen
      onConfirm={confirm}
      onClose={props.onClose}
    >
      <Stack gap="sm">
        <TextInput
          label={say("edit.name")}
          description={say("token.name.hint")}
          required
          data-autofocus
          value={name}
          onChange={(event) => setName(event.currentTarget.value)}
        />
        <TextInput
          label={say("token.description")}
          value={description}
          onChange={(event) => setDescription(event.currentTarget.value)}
        />
        <NumberInput
          label={say("token.days")}
          min={1}
          max={MOST_DAYS}
          value={lifetimeDays}
          onChange={(value) => setLifetimeDays(Number(value))}
        />
        <RoleSelect label={say("token.role")} none={say("token.asAccount")} value={role} onChange={setRole} />
        <TextInput
          label={say("token.namespaces")}
          placeholder={say("token.asAccount")}
          value={namespaces}
          onChange={(event) => setNamespaces(event.currentTarget.value)}
        />
      </Stack>
    </ConfirmDialog>
  );
}

function TokenShown({ token, onClose }: { readonly token: string; readonly onClose: () => void }) {
  const say = useTexts();
  const [isCopied, setCopied] = useState(false);
  // Browsers have no clipboard for pages that came over plain HTTP from elsewhere.
  const clipboard = navigator.clipboard as Clipboard | undefined;
  return (
    <Dialog title={say("token.made")} onClose={onClose}>
      <Stack>
        <Alert color="yellow" title={say("token.once")} />
        <TextInput
          className="mono"
          label={say("token.token")}
          readOnly
          value={token}
          onFocus={(event) => event.currentTarget.select()}
        />
        <Group justify="flex-end">
          {clipboard && (
            <Button
              variant="default"
              onClick={() => void clipboard.writeText(token).then(() => setCopied(true))}
            >
              {say(isCopied ? "token.copied" : "token.copy")}
            </Button>
          )}
          <Button onClick={onClose}>{say("dialog.close")}</Button>
        </Group>
      </Stack>
    </Dialog>
  );
}

/** Ends a token before its time. */
export function RevokeTokenDialog(props: { readonly token: TokenRow; readonly onClose: () => void }) {
  const say = useTexts();
  const { name } = props.token;
  return (
    <ConfirmDialog
      title={say("token.ask.revoke", { name })}
      confirm={say("token.revoke")}
      isDangerous
      onConfirm={(reason) => revokeToken(name, reason)}
      onClose={props.onClose}
    >
      {say("token.effect.revoke")}
    </ConfirmDialog>
  );
}
