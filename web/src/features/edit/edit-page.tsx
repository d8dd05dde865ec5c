import { Alert, Button, Center, Group, Loader } from "@mantine/core";
import { getRouteApi, useNavigate } from "@tanstack/react-router";
import { useEffect, useState } from "react";
import type { Plan, PlannedTraffic } from "../../../../src/model/plan/plan.ts";
import type { Pool } from "../../../../src/model/pool/pool.ts";
import { FailureNote } from "../../components/confirm-dialog.tsx";
import { PageHead } from "../../components/page-head.tsx";
import { useTexts } from "../../i18n/use-texts.ts";
import { type ApiFailure, ask, poolPath } from "../../lib/api.ts";
import { type Draft, NEW_POOL, valueAt, writableOf } from "./draft.ts";
import { PoolForm } from "./pool-form.tsx";
import { SaveDialog } from "./save-dialog.tsx";
import { YamlEditor } from "./yaml-editor.tsx";
import { readYaml, yamlOf } from "./yaml-text.ts";

const editRoute = getRouteApi("/pools/$namespace/$name/edit");

/** What the server answers: the pool as it wrote it, or would. */
type Written = Draft & Pick<Pool, "metadata">;

/** A new pool. */
export function NewPoolPage() {
  return <Editor />;
}

/** Changes a pool. */
export function EditPoolPage() {
  const { namespace, name } = editRoute.useParams();
  const say = useTexts();
  const [stored, setStored] = useState<Pool>();
  const [failure, setFailure] = useState<ApiFailure>();
  useEffect(() => {
    ask<Pool>(poolPath(namespace, name)).then(setStored, setFailure);
  }, [namespace, name]);
  if (failure) return <FailureNote failure={failure} />;
  if (stored) return <Editor stored={stored} />;
  return (
    <Center mih={200}>
      <h1 className="only-spoken">{`${namespace}/${name}`}</h1>
      <Loader role="status" aria-label={say("app.loading")} />
    </Center>
  );
}

function Editor({ stored }: { readonly stored?: Pool }) {
  const say = useTexts();
  const navigate = useNavigate();
  const [draft, setDraft] = useState<Draft>(() => (stored ? writableOf({ ...stored }) : NEW_POOL));
  const [text, setText] = useState(() => yamlOf(draft));
  const [wrong, setWrong] = useState<string>();
  const [failure, setFailure] = useState<ApiFailure>();
  const [planned, setPlanned] = useState<Planned>();
  const owner = stored?.metadata.ownerReferences?.find(({ kind }) => kind === "Service")?.name;
  const change = (next: Draft) => {
    setDraft(next);
    setText(yamlOf(next));
    setWrong(undefined);
  };
  const type = (typed: string) => {
    setText(typed);
    const reading = readYaml(typed);
    setWrong(reading.kind === "wrong" ? reading.message : undefined);
    if (reading.kind === "read") setDraft(reading.draft);
  };
  const write = async (reason: string, isDryRun: boolean) => {
    const namespace = String(valueAt(draft, "metadata.namespace") ?? "default");
    const path = stored ? poolPath(namespace, stored.metadata.name) : poolPath(namespace);
    const url = isDryRun ? `${path}?dryRun=All` : path;
    return await ask<Written>(url, { method: stored ? "PUT" : "POST", body: toWrite(draft, stored), reason });
  };
  const plan = async () => {
    setFailure(undefined);
    try {
      const after = await write("", true);
      setPlanned({ after, traffic: await trafficOf(toWrite(draft, stored)) });
    } catch (refusal) {
      setFailure(refusal as ApiFailure);
    }
  };
  const save = async (reason: string) => {
    const { metadata } = await write(reason, false);
    void navigate({
      to: "/pools/$namespace/$name",
      params: { namespace: metadata.namespace ?? "", name: metadata.name },
    });
  };
  const title = stored
    ? say("edit.title", { name: `${stored.metadata.namespace}/${stored.metadata.name}` })
    : say("pools.new");
  return (
    <>
      <PageHead title={title}>
        <Button onClick={() => void plan()} disabled={wrong !== undefined}>
          {say("edit.review")}
        </Button>
      </PageHead>
      {owner !== undefined && (
        <Alert color="blue" mb="md" title={say("pools.service", { name: owner })}>
          {say("edit.owned", { name: owner })}
        </Alert>
      )}
      {failure && (
        <Group mb="md" grow>
          <FailureNote failure={failure} />
        </Group>
      )}
      <div className="editor">
        <form aria-label={say("edit.form")} onSubmit={(event) => event.preventDefault()}>
          <PoolForm
            draft={draft}
            problems={failure?.fields ?? []}
            isNew={!stored}
            isOwned={owner !== undefined}
            onChange={change}
          />
        </form>
        <div className="yaml-side">
          <YamlEditor label={say("edit.yaml")} text={text} onChange={type} />
          {wrong !== undefined && (
            <Alert color="red" role="alert" title={say("edit.wrongYaml")}>
              {wrong}
            </Alert>
          )}
        </div>
      </div>
      {planned && (
        <SaveDialog
          before={stored ? writableOf({ ...stored }) : undefined}
          after={writableOf(planned.after)}
          traffic={planned.traffic}
          onSave={save}
          onClose={() => setPlanned(undefined)}
        />
      )}
    </>
  );
}

/** What saving would make of the pool, and of its traffic. */
interface Planned {
  readonly after: Draft;
  readonly traffic: PlannedTraffic | undefined;
}

async function trafficOf(draft: Draft): Promise<PlannedTraffic | undefined> {
  const body = { objects: [draft], mode: "replace" };
  const { objects } = await ask<Plan>("/api/plan", { method: "POST", body });
  return objects.find(({ documentIndex }) => documentIndex === 0)?.traffic;
}

/** An update names what it was made from, so that it does not undo what somebody else did meanwhile. */
function toWrite(draft: Draft, stored: Pool | undefined): Draft {
  if (!stored) return draft;
  const { uid, resourceVersion, ownerReferences, finalizers, annotations } = stored.metadata;
  const copy = "kubectl.kubernetes.io/last-applied-configuration";
  const applied = annotations?.[copy];
  const written = draft["metadata"] as Draft;
  const kept = applied === undefined ? {} : { [copy]: applied };
  return {
    ...draft,
    metadata: {
      ...written,
      ...{ uid, resourceVersion, ownerReferences, finalizers },
      annotations: { ...(written["annotations"] as object | undefined), ...kept },
    },
  };
}
