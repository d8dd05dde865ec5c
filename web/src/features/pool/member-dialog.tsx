import { NumberInput, Stack } from "@mantine/core";
import { useState } from "react";
import type { MemberRow } from "../../../../src/model/console/pool-views.ts";
import type { Pool } from "../../../../src/model/pool/pool.ts";
import { ConfirmDialog } from "../../components/confirm-dialog.tsx";
import { useTexts } from "../../i18n/use-texts.ts";
import { ask, poolPath } from "../../lib/api.ts";
import { formatAddress } from "../../lib/format.ts";
import { type MemberAction, memberPatch } from "./member-patch.ts";

/** Says what an action does to a member's traffic, and does it once that is meant. */
export function MemberDialog(props: {
  readonly pool: Pool;
  readonly member: MemberRow;
  readonly index: number;
  readonly action: MemberAction;
  readonly onClose: () => void;
}) {
  const say = useTexts();
  const { pool, member, index, action, onClose } = props;
  const [weight, setWeight] = useState(member.weight);
  const [drainSeconds, setDrainSeconds] = useState(pool.spec.drainSeconds);
  const name = formatAddress(member.ip, member.port);
  const confirm = async (reason: string) => {
    const { namespace = "", name: poolName } = pool.metadata;
    await ask(poolPath(namespace, poolName), {
      method: "PATCH",
      contentType: "application/json-patch+json",
      body: memberPatch({ member, index, action, weight, drainSeconds }),
      reason,
    });
  };
  return (
    <ConfirmDialog
      title={say(`member.ask.${action}`, { name })}
      confirm={say(`member.do.${action}`)}
      isDangerous={action === "remove" || action === "maint"}
      onConfirm={confirm}
      onClose={onClose}
    >
      <Stack gap="sm">
        <div>
          {say(`member.effect.${action}`, {
            count: member.traffic?.activeCount ?? 0,
            seconds: pool.spec.drainSeconds,
          })}
        </div>
        {action === "weight" && (
          <NumberInput
            label={say("member.column.weight")}
            description={say("member.weight.hint")}
            min={0}
            max={256}
            value={weight}
            onChange={(value) => setWeight(Number(value))}
          />
        )}
        {action === "drain" && (
          <NumberInput
            label={say("member.drainSeconds")}
            min={0}
            max={86_400}
            value={drainSeconds}
            onChange={(value) => setDrainSeconds(Number(value))}
          />
        )}
      </Stack>
    </ConfirmDialog>
  );
}
