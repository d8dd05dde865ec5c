import { Menu } from "@mantine/core";
import { useState } from "react";
import type { PoolRow } from "../../../../src/model/console/pool-views.ts";
import { ActionsMenu } from "../../components/actions-menu.tsx";
import { MenuLink } from "../../components/menu-link.tsx";
import { useTexts } from "../../i18n/use-texts.ts";
import { useMay } from "../../lib/session.ts";
import { HistoryRollbackDialog } from "../operations/history-rollback.tsx";
import { DeletePoolDialog } from "./delete-pool-dialog.tsx";

/** What can be done with a pool, from a list. */
export function PoolActions({ row }: { readonly row: PoolRow }) {
  const say = useTexts();
  const mayChange = useMay()("operator", row.namespace);
  const [action, setAction] = useState<"delete" | "rollback">();
  const close = () => setAction(undefined);
  return (
    <>
      <ActionsMenu label={say("pools.actions", { name: `${row.namespace}/${row.name}` })}>
        {mayChange && (
          <MenuLink to="/pools/$namespace/$name/edit" params={{ namespace: row.namespace, name: row.name }}>
            {say("edit.edit")}
          </MenuLink>
        )}
        {mayChange && <Menu.Item onClick={() => setAction("rollback")}>{say("rollback.confirm")}</Menu.Item>}
        <MenuLink
          to="/operations"
          search={{ search: `namespace:${row.namespace} object:${row.service ?? row.name}` }}
        >
          {say("operations.title")}
        </MenuLink>
        {mayChange && (
          <Menu.Item className="danger" onClick={() => setAction("delete")}>
            {say("delete.confirm")}
          </Menu.Item>
        )}
      </ActionsMenu>
      {action === "delete" && <DeletePoolDialog pool={row} onClose={close} />}
      {action === "rollback" && (
        <HistoryRollbackDialog
          part={{ namespace: row.namespace, pool: row.name }}
          effect={say("rollback.poolEffect")}
          choose={(operations) => operations.filter(({ spec }) => spec.before !== undefined)}
          onClose={close}
        />
      )}
    </>
  );
}
