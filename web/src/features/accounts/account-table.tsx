import { Menu } from "@mantine/core";
import { useState } from "react";
import type { AccountRow } from "../../../../src/model/console/account-views.ts";
import { ActionsMenu } from "../../components/actions-menu.tsx";
import { GridTable } from "../../components/grid-table.tsx";
import { StateMark } from "../../components/state-mark.tsx";
import { TimeAgo } from "../../components/time-ago.tsx";
import { useTexts } from "../../i18n/use-texts.ts";
import { DeleteAccountDialog, PasswordDialog, RolesDialog, SwitchDialog } from "./account-dialogs.tsx";
import { NewTokenDialog } from "./token-dialogs.tsx";

const COLUMNS = [
  "login.name",
  "account.column.roles",
  "pools.column.state",
  "account.column.lastLogin",
  "account.column.created",
  "pools.column.actions",
] as const;

/** Every account, what it may do, and what can be done with it. */
export function AccountTable({ accounts }: { readonly accounts: readonly AccountRow[] }) {
  const say = useTexts();
  if (accounts.length === 0) return <p className="dimmed">{say("account.none")}</p>;
  return (
    <GridTable label={say("account.title")} columns={COLUMNS} className="members-grid">
      {accounts.map((account) => (
        <tr key={account.name}>
          <td>
            <strong>{account.name}</strong>
            <br />
            <span className="dimmed">{account.displayName}</span>
          </td>
          <td>
            <RoleList account={account} />
          </td>
          <td>
            <StateMark
              state={account.isDisabled ? "down" : "up"}
              text={say(account.isDisabled ? "account.disabled" : "account.enabled")}
            />
          </td>
          <td>{account.lastLogin === undefined ? "–" : <TimeAgo time={account.lastLogin} />}</td>
          <td>
            <TimeAgo time={account.created} />
          </td>
          <td>
            <AccountActions account={account} />
          </td>
        </tr>
      ))}
    </GridTable>
  );
}

/** What an account may do where, a line each. */
export function RoleList({ account: { role, bound } }: { readonly account: AccountRow }) {
  const say = useTexts();
  if (role === undefined && bound.length === 0) return <span className="dimmed">{say("role.none")}</span>;
  return (
    <>
      {role && <div>{say("account.everywhere", { role: say(`role.${role}`) })}</div>}
      {bound.map(({ namespace, role: own, binding }) => (
        <div key={`${namespace} ${binding}`}>
          {say("account.inNamespace", { role: say(`role.${own}`), namespace })}
        </div>
      ))}
    </>
  );
}

const DIALOGS = {
  roles: RolesDialog,
  password: PasswordDialog,
  token: NewTokenDialog,
  switch: SwitchDialog,
  delete: DeleteAccountDialog,
} as const;

function AccountActions({ account }: { readonly account: AccountRow }) {
  const say = useTexts();
  const [action, setAction] = useState<keyof typeof DIALOGS>();
  const Shown = action && DIALOGS[action];
  return (
    <>
      <ActionsMenu label={say("pools.actions", { name: account.name })}>
        <Menu.Item onClick={() => setAction("roles")}>{say("account.do.roles")}</Menu.Item>
        <Menu.Item onClick={() => setAction("password")}>{say("account.do.password")}</Menu.Item>
        <Menu.Item onClick={() => setAction("token")}>{say("token.new")}</Menu.Item>
        <Menu.Item onClick={() => setAction("switch")}>
          {say(account.isDisabled ? "account.do.enable" : "account.do.disable")}
        </Menu.Item>
        <Menu.Item className="danger" onClick={() => setAction("delete")}>
          {say("delete.confirm")}
        </Menu.Item>
      </ActionsMenu>
      {Shown && <Shown account={account} onClose={() => setAction(undefined)} />}
    </>
  );
}
