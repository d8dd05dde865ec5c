import type { PoolRow } from "../../../../src/model/console/pool-views.ts";
import { ConfirmDialog } from "../../components/confirm-dialog.tsx";
import { useTexts } from "../../i18n/use-texts.ts";
import { ApiFailure, ask, corePath, poolPath, remove } from "../../lib/api.ts";
import { tell } from "../../lib/tell.ts";

/** Deletes a pool once somebody says that this is meant; one that a Service makes goes with its Service. */
export function DeletePoolDialog(props: {
  readonly pool: Pick<PoolRow, "namespace" | "name" | "uid" | "service">;
  readonly onClose: () => void;
  readonly onDone?: () => void;
}) {
  const say = useTexts();
  const { namespace, name, uid, service } = props.pool;
  const confirm = async (reason: string) => {
    if (service === undefined) await remove(poolPath(namespace, name), uid, reason);
    else await removeService(namespace, service, reason);
    tell(say("delete.done", { name: `${namespace}/${name}` }));
    props.onDone?.();
  };
  return (
    <ConfirmDialog
      title={say("delete.title", { name: `${namespace}/${name}` })}
      confirm={say("delete.confirm")}
      isDangerous
      onConfirm={confirm}
      onClose={props.onClose}
    >
      {service === undefined ? say("delete.pool") : say("delete.service", { name: service })}
    </ConfirmDialog>
  );
}

async function removeService(namespace: string, name: string, reason: string): Promise<void> {
  await ask(corePath("services", namespace, name), { method: "DELETE", reason });
  try {
    await ask(corePath("endpoints", namespace, name), { method: "DELETE", reason });
  } catch (failure) {
    if (!(failure instanceof ApiFailure) || failure.code !== 404) throw failure;
  }
}
