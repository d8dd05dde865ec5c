import { type Clock, hasCode, ParasausError } from "../../../foundation/index.ts";
import {
  eventDefinition,
  type KubeEvent,
  type KubeObject,
  type Operation,
  operationDefinition,
  type ResourceDefinition,
} from "../../../model/index.ts";
import {
  compileSelection,
  type ListOptions,
  type ObjectList,
  type ObjectReference,
  type Resources,
} from "../../../resources/index.ts";
import { deriveEvents, eventNamespaceOf } from "./derive-events.ts";

/** As long as Kubernetes keeps its Events. */
const RECENT_MS = 3_600_000;
const MOST_EVENTS = 5_000;

/** What Events are worked out from. */
export interface EventSources {
  readonly resources: Resources;
  /** The kinds that things happen to. */
  readonly definitions: readonly ResourceDefinition[];
  readonly clock: Clock;
}

/**
 * Events over the objects that there are: read-only, listed and not watched. Of one object everything that is known is
 * listed; of several the last hour, and of that the newest 5,000.
 */
export function createEventResources(sources: EventSources): Resources {
  const refuse = (verb: string): never => {
    throw new ParasausError(
      "MethodNotAllowed",
      `Cannot ${verb} events: they are worked out when they are listed`,
    );
  };
  return {
    list: (_definition, options = {}) => listEvents(sources, options),
    get: (reference) => getEvent(sources, reference),
    watch: () => refuse("watch"),
    create: async () => refuse("create"),
    update: async () => refuse("update"),
    patch: async () => refuse("patch"),
    delete: async () => refuse("delete"),
  };
}

async function listEvents(sources: EventSources, options: ListOptions): Promise<ObjectList> {
  if (options.continue !== undefined || options.resourceVersion !== undefined) {
    const message = "Cannot list events of another time or page: there is one list, of what is known now";
    throw new ParasausError("BadRequest", message);
  }
  const { matches, required } = compileSelection(eventDefinition, options);
  const isOfOneObject = required.has("involvedObject.name") || required.has("involvedObject.uid");
  const { objects, operations, resourceVersion } = await readSources(sources, options.namespace, required);
  const items = deriveEvents(objects, operations, {
    limitCount: MOST_EVENTS,
    ...(matches ? { matches } : {}),
    ...(isOfOneObject ? {} : { sinceMs: sources.clock.now().getTime() - RECENT_MS }),
  });
  return { items, resourceVersion };
}

async function getEvent(sources: EventSources, { name, namespace }: ObjectReference): Promise<KubeObject> {
  const { objects, operations } = await readSources(sources, namespace, new Map());
  const matches = ({ metadata }: KubeEvent): boolean => metadata.name === name;
  const [found] = deriveEvents(objects, operations, { matches, limitCount: 1 });
  if (found) return found;
  throw new ParasausError("NotFound", `events "${name}" not found`, {
    object: { group: "", kind: "events", name },
  });
}

interface ReadSources {
  readonly objects: readonly KubeObject[];
  readonly operations: readonly Operation[];
  readonly resourceVersion: string;
}

/** Reads no more objects than what is required of them leaves. */
async function readSources(
  sources: EventSources,
  namespace: string | undefined,
  required: ReadonlyMap<string, string>,
): Promise<ReadSources> {
  const isHere = (object: { readonly namespace?: string }): boolean =>
    namespace === undefined || eventNamespaceOf(object) === namespace;
  const { items, resourceVersion } = await sources.resources.list(operationDefinition);
  const name = required.get("involvedObject.name");
  const operations = (items as readonly Operation[]).filter(
    ({ spec: { object } }) => isHere(object) && (name === undefined || object.name === name),
  );
  const objects = await readObjects(sources, namespace, required);
  return { objects: objects.filter(({ metadata }) => isHere(metadata)), operations, resourceVersion };
}

async function readObjects(
  { resources, definitions }: EventSources,
  namespace: string | undefined,
  required: ReadonlyMap<string, string>,
): Promise<readonly KubeObject[]> {
  const [kind, name] = [required.get("involvedObject.kind"), required.get("involvedObject.name")];
  const asked = definitions.filter(
    (definition) => definition.hasStatus && (kind === undefined || definition.kind === kind),
  );
  const found = await Promise.all(
    asked.map(async (definition) => {
      const place = definition.namespaced && namespace !== undefined ? { namespace } : {};
      if (name === undefined || (definition.namespaced && namespace === undefined))
        return (await resources.list(definition, place)).items;
      return await readOne(resources, { definition, name, ...place });
    }),
  );
  return found.flat();
}

async function readOne(resources: Resources, reference: ObjectReference): Promise<readonly KubeObject[]> {
  try {
    return [await resources.get(reference)];
  } catch (failure) {
    if (hasCode(failure, "NotFound")) return [];
    throw failure;
  }
}
