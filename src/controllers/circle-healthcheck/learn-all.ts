import type { KubeObject, ResourceDefinition } from "../../model/index.ts";
import type { Resources } from "../../resources/index.ts";
import type { ObjectView } from "../runtime/object-view.ts";

const PAGE_SIZE = 500;

/**
 * Brings a view up to what is stored now, without waiting for its watch.
 *
 * @throws ParasausError what listing throws
 */
export async function learnAll<Kind extends KubeObject>(
  resources: Resources,
  definition: ResourceDefinition,
  view: ObjectView<Kind>,
): Promise<void> {
  let next: string | undefined;
  do {
    const page = await resources.list(definition, { limit: PAGE_SIZE, ...(next ? { continue: next } : {}) });
    for (const object of page.items) view.learn(object as Kind);
    next = page.continue;
  } while (next);
}
