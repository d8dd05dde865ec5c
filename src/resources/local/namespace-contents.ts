import { hasCode, ParasausError } from "../../foundation/index.ts";
import { type KubeObject, namespaceDefinition, type ResourceDefinition } from "../../model/index.ts";
import type { Resources } from "../resources.ts";
import { NAMESPACE_FINALIZER } from "./namespaces.ts";

/**
 * Deletes what lies in a namespace that is being deleted, then lets the namespace go.
 *
 * @throws ParasausError `Unavailable` while finalizers still hold objects in it: try again later
 */
export async function deleteNamespaceContents(
  {
    resources,
    definitions,
  }: { readonly resources: Resources; readonly definitions: readonly ResourceDefinition[] },
  { metadata }: KubeObject,
  operator: string,
): Promise<void> {
  const namespace = metadata.name;
  let heldCount = 0;
  for (const definition of definitions.filter((each) => each.namespaced && each.writable)) {
    const { items } = await resources.list(definition, { namespace });
    for (const { metadata: each } of items) {
      const reference = { definition, namespace, name: each.name };
      await unlessGone(resources.delete(reference, { operator }));
      heldCount += Number((each.finalizers ?? []).length > 0);
    }
  }
  if (heldCount > 0) {
    throw new ParasausError(
      "Unavailable",
      `Cannot delete namespace "${namespace}" yet: finalizers hold ${heldCount} objects`,
    );
  }
  const reference = { definition: namespaceDefinition, name: namespace };
  await unlessGone(
    resources.get(reference).then((current) => {
      const finalizers = (current.metadata.finalizers ?? []).filter((each) => each !== NAMESPACE_FINALIZER);
      return resources.update(
        reference,
        { ...current, metadata: { ...current.metadata, finalizers } },
        { operator },
      );
    }),
  );
}

async function unlessGone(work: Promise<unknown>): Promise<void> {
  try {
    await work;
  } catch (failure) {
    if (!hasCode(failure, "NotFound")) throw failure;
  }
}
