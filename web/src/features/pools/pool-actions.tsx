import { Menu } from "@mantine/core";
import { useState } from "react";
import type { PoolRow } from "../../../../src/model/console/pool-views.ts";
import { ActionsMenu } from "../../components/actions-menu.tsx";
import { MenuLink } from "../../components/menu-link.tsx";
import { useTexts } from "../../i18n/use-texts.ts";
import { useMay } from "../../lib/session.ts";
import { DeletePoolDialog } from "./delete-pool-dialog.tsx";

/** What can be done with a pool, from a list. */
export function PoolActions({ row }: { readonly row: PoolRow }) {
  const say = useTexts();
  const mayChange = useMay()("operator", row.namespace);
  const [isDeleting, setDeleting] = useState(false);
  return (
    <>
      <ActionsMenu label={say("pools.actions", { name: `${row.namespace}/${row.name}` })}>
        {mayChange && (
          <MenuLink to="/pools/$namespace/$name/edit" params={{ namespace: row.namespace, name: row.name }}>
            {say("edit.edit")}
          </MenuLink>
        )}
        <MenuLink
          to="/operations"
          search={{ search: `namespace:${row.namespace} object:${row.service ?? row.name}` }}
        >
          {say("operations.title")}
        </MenuLink>
        {mayChange && (
          <Menu.Item className="danger" onClick={() => setDeleting(true)}>
            {say("delete.confirm")}
          </Menu.Item>
        )}
      </ActionsMenu>
      {isDeleting && <DeletePoolDialog pool={row} onClose={() => setDeleting(false)} />}
    </>
  );
}
