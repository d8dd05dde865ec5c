import type { Clock } from "../../foundation/index.ts";
import { apiVersionOf, type KubeObject, type ResourceDefinition } from "../../model/index.ts";
import type { ObjectList, WatchEvent } from "../../resources/index.ts";
import type { Representation } from "./representation.ts";
import { metadataOnly, toTable } from "./table.ts";

/** Turns objects, lists and watch events of one kind into what clients asked for. */
export interface Encoder {
  readonly one: (object: KubeObject, representation: Representation) => unknown;
  readonly list: (list: ObjectList, representation: Representation) => unknown;
  /** One line of a watch. The same event in the same representation is encoded once, however many watch. */
  readonly event: (event: WatchEvent, representation: Representation) => Buffer;
  /** The bookmark that ends the initial events of a streamed list. */
  readonly initialEventsEnd: (resourceVersion: string, representation: Representation) => Buffer;
}

/** Makes the encoder of one kind. */
export function createEncoder(definition: ResourceDefinition, clock: Clock): Encoder {
  const lines = new WeakMap<KubeObject, Map<string, Buffer>>();
  const apiVersion = apiVersionOf(definition);

  const one = (object: KubeObject, representation: Representation): unknown => {
    if (representation.kind === "object") return object;
    if (representation.kind === "metadata") return metadataOnly(object);
    const { resourceVersion } = object.metadata;
    const metadata = resourceVersion === undefined ? {} : { resourceVersion };
    return toTable(definition, [object], metadata, representation.includeObject, clock.now());
  };

  const bookmark = (
    resourceVersion: string,
    representation: Representation,
    annotations?: object,
  ): Buffer => {
    const metadata = { resourceVersion, ...(annotations === undefined ? {} : { annotations }) };
    const object =
      representation.kind === "table"
        ? toTable(definition, [], metadata, representation.includeObject, clock.now())
        : { apiVersion, kind: definition.kind, metadata };
    return lineOf({ type: "BOOKMARK", object });
  };

  return {
    one,
    list: (list, representation) => {
      const { items, ...metadata } = list;
      if (representation.kind === "table") {
        return toTable(definition, items, metadata, representation.includeObject, clock.now());
      }
      if (representation.kind === "metadata") {
        const partial = { kind: "PartialObjectMetadataList", apiVersion: "meta.k8s.io/v1" };
        return { ...partial, metadata, items: items.map(metadataOnly) };
      }
      return { apiVersion, kind: `${definition.kind}List`, metadata, items };
    },
    event: (event, representation) => {
      if (event.type === "BOOKMARK") return bookmark(event.resourceVersion, representation);
      const { type, object } = event;
      const known = lines.get(object) ?? new Map<string, Buffer>();
      lines.set(object, known);
      const key = keyOf(type, representation, clock);
      const line = known.get(key) ?? lineOf({ type, object: one(object, representation) });
      known.set(key, line);
      return line;
    },
    initialEventsEnd: (resourceVersion, representation) =>
      bookmark(resourceVersion, representation, { "k8s.io/initial-events-end": "true" }),
  };
}

/** Cells of tables show ages, so a table's line is worth keeping for one second only. */
function keyOf(type: string, representation: Representation, clock: Clock): string {
  if (representation.kind !== "table") return `${type} ${representation.kind}`;
  return `${type} table ${representation.includeObject} ${Math.floor(clock.now().getTime() / 1_000)}`;
}

/** One event as a line of the stream. */
export function lineOf(event: { readonly type: string; readonly object: unknown }): Buffer {
  return Buffer.from(`${JSON.stringify(event)}\n`);
}
