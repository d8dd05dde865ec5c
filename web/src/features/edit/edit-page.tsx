import { Alert, Button, Center, Group, Loader } from "@mantine/core";
import { getRouteApi, useNavigate } from "@tanstack/react-router";
import { useEffect, useState } from "react";
import type { Plan, PlannedObject } from "../../../../src/model/plan/plan.ts";
import type { Pool } from "../../../../src/model/pool/pool.ts";
import { FailureNote } from "../../components/confirm-dialog.tsx";
import { PageHead } from "../../components/page-head.tsx";
import { useTexts } from "../../i18n/use-texts.ts";
import { ApiFailure, ask, objectPath, type ReadObject, read } from "../../lib/api.ts";
import { type Draft, NEW_POOL, valueAt, writableOf } from "./draft.ts";
import { PoolForm } from "./pool-form.tsx";
import { SaveDialog } from "./save-dialog.tsx";
import { YamlEditor } from "./yaml-editor.tsx";
import { readYaml, yamlOf } from "./yaml-text.ts";

const editRoute = getRouteApi("/pools/$namespace/$name/edit");

/** A new pool. */
export function NewPoolPage() {
  return <Editor />;
}

/** Changes a pool. */
export function EditPoolPage() {
  const { namespace, name } = editRoute.useParams();
  const say = useTexts();
  const [stored, setStored] = useState<ReadObject<Pool>>();
  const [failure, setFailure] = useState<ApiFailure>();
  useEffect(() => {
    read<Pool>(objectPath("Pool", namespace, name)).then(setStored, setFailure);
  }, [namespace, name]);
  if (failure) return <FailureNote failure={failure} />;
  if (stored) return <Editor stored={stored.object} tag={stored.tag} />;
  return (
    <Center mih={200}>
      <h1 className="only-spoken">{`${namespace}/${name}`}</h1>
      <Loader role="status" aria-label={say("app.loading")} />
    </Center>
  );
}

/** @param props `tag` names what the pool was read as; both are absent for a new one. */
function Editor({ stored, tag }: { readonly stored?: Pool; readonly tag?: string }) {
  const say = useTexts();
  const navigate = useNavigate();
  const [draft, setDraft] = useState<Draft>(() => (stored ? writableOf({ ...stored }) : NEW_POOL));
  const [text, setText] = useState(() => yamlOf(draft));
  const [wrong, setWrong] = useState<string>();
  const [failure, setFailure] = useState<ApiFailure>();
  const [planned, setPlanned] = useState<readonly PlannedObject[]>();
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
  const plan = async () => {
    setFailure(undefined);
    try {
      const body = { objects: [draft], mode: "replace" };
      const { objects } = await ask<Plan>("/api/plan", { method: "POST", body });
      const refused = refusalIn(objects);
      if (refused) setFailure(refused);
      else if (!stored && objects[0]?.outcome !== "created")
        setFailure(new ApiFailure(409, say("edit.exists", { name: objects[0]?.name ?? "" })));
      else setPlanned(objects);
    } catch (refusal) {
      setFailure(refusal as ApiFailure);
    }
  };
  const save = async (reason: string) => {
    const [namespace, name] = ["metadata.namespace", "metadata.name"].map((path) => valueAt(draft, path));
    const params = { namespace: String(namespace ?? "default"), name: String(name) };
    const url = objectPath("Pool", params.namespace, params.name);
    await ask(url, { method: "PUT", body: draft, reason, ifMatch: tag ?? "none" });
    void navigate({ to: "/pools/$namespace/$name", params });
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
          <PoolForm draft={draft} problems={failure?.fields ?? []} isNew={!stored} onChange={change} />
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
        <SaveDialog objects={planned} isNew={!stored} onSave={save} onClose={() => setPlanned(undefined)} />
      )}
    </>
  );
}

/** Why one of the objects would be refused. */
function refusalIn(objects: readonly PlannedObject[]): ApiFailure | undefined {
  const refusal = objects.find(({ outcome }) => outcome === "refused")?.refusal;
  return refusal && new ApiFailure(422, refusal.message, refusal.fields);
}
