import { Alert, Button, Stack } from "@mantine/core";
import { useState } from "react";
import type { AccountList } from "../../../../src/model/console/account-views.ts";
import { PageHead } from "../../components/page-head.tsx";
import { Panel } from "../../components/panel.tsx";
import { useTexts } from "../../i18n/use-texts.ts";
import { useMay, useSession } from "../../lib/session.ts";
import { useView } from "../../lib/use-view.ts";
import { NewAccountDialog } from "./account-dialogs.tsx";
import { AccountTable } from "./account-table.tsx";
import { OwnAccount } from "./own-account.tsx";
import { TokenTable } from "./token-table.tsx";

/** Who may do what: the own account, and for administrators everybody's. */
export function AccountsPage() {
  const say = useTexts();
  const view = useView<AccountList>("/api/console/accounts");
  const session = useSession();
  const isAdministrator = useMay()("admin");
  const [isCreating, setCreating] = useState(false);
  const ownName = session.kind === "in" ? session.name : undefined;
  const own = view.value?.accounts.find(({ name }) => name === ownName);
  return (
    <>
      <PageHead title={say("account.title")} view={view}>
        {isAdministrator && <Button onClick={() => setCreating(true)}>{say("account.new")}</Button>}
      </PageHead>
      <Stack gap="md">
        {session.kind === "in" && session.needsNoLogin && (
          <Alert color="yellow" title={say("account.noAuth")}>
            {say("account.noAuth.hint")}
          </Alert>
        )}
        {own && <OwnAccount account={own} />}
        {view.value && isAdministrator && (
          <Panel title={say("account.all", { count: view.value.accounts.length })}>
            <AccountTable accounts={view.value.accounts} />
          </Panel>
        )}
        {view.value && (
          <Panel title={say("token.title")}>
            <TokenTable tokens={view.value.tokens} />
          </Panel>
        )}
      </Stack>
      {isCreating && <NewAccountDialog onClose={() => setCreating(false)} />}
    </>
  );
}
