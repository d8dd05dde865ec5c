import type { Clock } from "../../foundation/index.ts";
import { apiVersionOf, type KubeObject, type ResourceDefinition } from "../../model/index.ts";
import { type ObjectList, textOf, type WatchEvent } from "../../resources/index.ts";
import { LineCache } from "./line-cache.ts";
import type { Representation } from "./representation.ts";
import { type JoinForRow, metadataOnly, rowOf, toTable } from "./table.ts";

/** Turns objects, lists and watch events of one kind into what clients asked for. */
export interface Encoder {
  readonly one: (object: KubeObject, representation: Representation) => unknown;
  /** The text of a list, piece by piece: a long one is never in memory as a whole. */
  readonly list: (list: ObjectList, representation: Representation) => Iterable<string>;
  /** One line of a watch. The same event in the same representation is encoded once, however many watch. */
  readonly event: (event: WatchEvent, representation: Representation) => Buffer;
  /** The bookmark that ends the initial events of a streamed list. */
  readonly initialEventsEnd: (resourceVersion: string, representation: Representation) => Buffer;
}

/** Makes the encoder of one kind. */
export function createEncoder(
  definition: ResourceDefinition,
  clock: Clock,
  joined: JoinForRow = (object) => object,
): Encoder {
  const lines = new LineCache();
  const bookmarks = new BookmarkCache();
  const apiVersion = apiVersionOf(definition);

  const one = (object: KubeObject, representation: Representation): unknown => {
    if (representation.kind === "object") return object;
    if (representation.kind === "metadata") return metadataOnly(object);
    const { resourceVersion } = object.metadata;
    const metadata = resourceVersion === undefined ? {} : { resourceVersion };
    return toTable(definition, [object], metadata, representation.includeObject, clock.now(), joined);
  };

  const encodeOne = (object: KubeObject, representation: Representation): string =>
    representation.kind === "object" ? textOf(object) : JSON.stringify(one(object, representation));

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
        const now = clock.now();
        const { includeObject } = representation;
        const table = toTable(definition, [], metadata, includeObject, now);
        return listText(table, items, (object) =>
          JSON.stringify(rowOf(definition, object, includeObject, now, joined)),
        );
      }
      if (representation.kind === "metadata") {
        const partial = {
          kind: "PartialObjectMetadataList",
          apiVersion: "meta.k8s.io/v1",
          metadata,
          items: [],
        };
        return listText(partial, items, (object) => encodeOne(object, representation));
      }
      const whole = { apiVersion, kind: `${definition.kind}List`, metadata, items: [] };
      return listText(whole, items, textOf);
    },
    event: (event, representation) => {
      if (event.type === "BOOKMARK") {
        const { resourceVersion } = event;
        return bookmarks.line(resourceVersion, formOf(representation), () =>
          bookmark(resourceVersion, representation),
        );
      }
      const { type, object } = event;
      return lines.line(object, `${type} ${timedFormOf(representation, clock)}`, () =>
        Buffer.from(`{"type":"${type}","object":${encodeOne(object, representation)}}\n`),
      );
    },
    initialEventsEnd: (resourceVersion, representation) =>
      bookmark(resourceVersion, representation, { "k8s.io/initial-events-end": "true" }),
  };
}

/** The text of a document whose last field is an empty array, filled with the texts of items. */
function* listText(
  empty: object,
  items: readonly KubeObject[],
  textOfItem: (object: KubeObject) => string,
): Generator<string> {
  const frame = JSON.stringify(empty);
  yield frame.slice(0, -2);
  let separator = "";
  for (const item of items) {
    yield separator + textOfItem(item);
    separator = ",";
  }
  yield frame.slice(-2);
}

function formOf(representation: Representation): string {
  return representation.kind === "table" ? `table ${representation.includeObject}` : representation.kind;
}

/** Cells of tables show ages, so a table's line is worth keeping for one second only. */
function timedFormOf(representation: Representation, clock: Clock): string {
  const form = formOf(representation);
  return representation.kind === "table" ? `${form} ${Math.floor(clock.now().getTime() / 1_000)}` : form;
}

/** The lines of the newest bookmark: everybody who is up to date gets the same. */
class BookmarkCache {
  #resourceVersion = "";
  readonly #lines = new Map<string, Buffer>();

  line(resourceVersion: string, form: string, encode: () => Buffer): Buffer {
    if (resourceVersion !== this.#resourceVersion) {
      this.#resourceVersion = resourceVersion;
      this.#lines.clear();
    }
    const line = this.#lines.get(form) ?? encode();
    this.#lines.set(form, line);
    return line;
  }
}

/** One event as a line of the stream. */
export function lineOf(event: { readonly type: string; readonly object: unknown }): Buffer {
  return Buffer.from(`${JSON.stringify(event)}\n`);
}
