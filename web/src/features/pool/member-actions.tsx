import { Menu } from "@mantine/core";
import { useState } from "react";
import type { MemberRow, PoolDetail } from "../../../../src/model/console/pool-views.ts";
import { ActionsMenu } from "../../components/actions-menu.tsx";
import { MenuLink } from "../../components/menu-link.tsx";
import { useTexts } from "../../i18n/use-texts.ts";
import { formatAddress } from "../../lib/format.ts";
import { useMay } from "../../lib/session.ts";
import { HistoryRollbackDialog } from "../operations/history-rollback.tsx";
import { MemberDialog } from "./member-dialog.tsx";
import { memberIn, operationsOn } from "./member-history.ts";
import type { MemberAction } from "./member-patch.ts";
import { ProbeDialog } from "./probe-dialog.tsx";

/** What can be done with a member. */
export function MemberActions(props: {
  readonly detail: PoolDetail;
  readonly member: MemberRow;
  readonly index: number;
}) {
  const say = useTexts();
  const { detail, member, index } = props;
  const [action, setAction] = useState<MemberAction | "probe" | "rollback">();
  const mayChange = useMay()("operator", detail.pool.metadata.namespace);
  const close = () => setAction(undefined);
  const name = formatAddress(member.ip, member.port);
  const { namespace = "" } = detail.pool.metadata;
  const states = (["ready", "drain", "maint"] as const).filter((state) => state !== member.state);
  if (!mayChange) return null;
  return (
    <>
      <ActionsMenu label={say("pools.actions", { name })}>
        {states.map((state) => (
          <Menu.Item key={state} onClick={() => setAction(state)}>
            {say(`member.do.${state}`)}
          </Menu.Item>
        ))}
        <Menu.Item onClick={() => setAction("weight")}>{say("member.do.weight")}</Menu.Item>
        <Menu.Item onClick={() => setAction("probe")}>{say("probe.do")}</Menu.Item>
        <Menu.Item onClick={() => setAction("rollback")}>{say("rollback.confirm")}</Menu.Item>
        <MenuLink to="/operations" search={{ search: `namespace:${namespace} member:${name}` }}>
          {say("operations.title")}
        </MenuLink>
        {detail.service === undefined && (
          <Menu.Item className="danger" onClick={() => setAction("remove")}>
            {say("member.do.remove")}
          </Menu.Item>
        )}
      </ActionsMenu>
      {action === "probe" && <ProbeDialog pool={detail.pool} member={member} onClose={close} />}
      {action === "rollback" && (
        <HistoryRollbackDialog
          part={{ namespace, pool: detail.pool.metadata.name, member: name }}
          effect={say("rollback.memberEffect")}
          choose={(operations) => operationsOn(operations, member)}
          look={(pool) => memberIn(pool, member)}
          onClose={close}
        />
      )}
      {action && action !== "probe" && action !== "rollback" && (
        <MemberDialog pool={detail.pool} member={member} index={index} action={action} onClose={close} />
      )}
    </>
  );
}
