import { ActionIcon, Menu } from "@mantine/core";
import { useState } from "react";
import type { MemberRow, PoolDetail } from "../../../../src/model/console/pool-views.ts";
import { Icon } from "../../components/icons.tsx";
import { useTexts } from "../../i18n/use-texts.ts";
import { formatAddress } from "../../lib/format.ts";
import { useMay } from "../../lib/session.ts";
import { MemberDialog } from "./member-dialog.tsx";
import type { MemberAction } from "./member-patch.ts";

/** What can be done with a member. */
export function MemberActions(props: {
  readonly detail: PoolDetail;
  readonly member: MemberRow;
  readonly index: number;
}) {
  const say = useTexts();
  const { detail, member, index } = props;
  const [action, setAction] = useState<MemberAction>();
  const mayChange = useMay()("operator", detail.pool.metadata.namespace);
  const states = (["ready", "drain", "maint"] as const).filter((state) => state !== member.state);
  if (!mayChange) return null;
  return (
    <>
      <Menu position="bottom-end" shadow="md" withinPortal>
        <Menu.Target>
          <ActionIcon
            variant="subtle"
            color="gray"
            aria-label={say("pools.actions", { name: formatAddress(member.ip, member.port) })}
          >
            <Icon name="more" />
          </ActionIcon>
        </Menu.Target>
        <Menu.Dropdown>
          {states.map((state) => (
            <Menu.Item key={state} onClick={() => setAction(state)}>
              {say(`member.do.${state}`)}
            </Menu.Item>
          ))}
          <Menu.Item onClick={() => setAction("weight")}>{say("member.do.weight")}</Menu.Item>
          {detail.service === undefined && (
            <Menu.Item className="danger" onClick={() => setAction("remove")}>
              {say("member.do.remove")}
            </Menu.Item>
          )}
        </Menu.Dropdown>
      </Menu>
      {action && (
        <MemberDialog
          pool={detail.pool}
          member={member}
          index={index}
          action={action}
          onClose={() => setAction(undefined)}
        />
      )}
    </>
  );
}
