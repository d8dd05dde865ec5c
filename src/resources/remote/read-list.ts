import { ParasausError } from "../../foundation/index.ts";
import { apiVersionOf, type KubeObject, type ResourceDefinition } from "../../model/index.ts";
import type { ObjectList } from "../resources.ts";
import { EPOCH_HEADER } from "../store-position.ts";
import type { TransportAnswer } from "./transport.ts";

/** What a list looks like before it is believed. */
interface Listed {
  readonly kind?: string;
  readonly metadata?: Omit<ObjectList, "items">;
  readonly items?: readonly (KubeObject | undefined)[];
}

/**
 * Reads the answer to a list. What is no whole list of the kind is refused: a follower would take what is missing for
 * deleted.
 *
 * @throws ParasausError `Unavailable`
 */
export function listOf(body: unknown, definition: ResourceDefinition): ObjectList {
  const type = { apiVersion: apiVersionOf(definition), kind: definition.kind };
  const { kind, metadata, items } = (body ?? {}) as Listed;
  const isList = kind === `${type.kind}List` && Array.isArray(items);
  if (!isList || !metadata || !/^\d+$/.test(metadata.resourceVersion)) throw noListOf(type.kind, kind);
  return {
    ...metadata,
    items: items.map((item: KubeObject | undefined) => {
      if (!item?.metadata?.name) throw noListOf(type.kind, "an item without a name");
      if ((item.kind ?? type.kind) !== type.kind) throw noListOf(type.kind, item.kind);
      // Items of a Kubernetes list lack the kind that the list has.
      return item.kind ? item : { ...item, ...type };
    }),
  };
}

function noListOf(kind: string, found = "something else"): ParasausError {
  const message = `Cannot read the server's answer: expected a whole list of ${kind}, found ${found}`;
  return new ParasausError("Unavailable", message);
}

/**
 * How often the store of the server that answers was restored, counted from 1; undefined when it does not say.
 *
 * @throws ParasausError `Unavailable` when what it says is no number
 */
export function epochIn(header: TransportAnswer["header"]): number | undefined {
  const text = header(EPOCH_HEADER);
  if (text === undefined) return undefined;
  const epoch = /^[1-9]\d*$/.test(text) ? Number(text) : Number.NaN;
  if (Number.isSafeInteger(epoch)) return epoch;
  throw new ParasausError(
    "Unavailable",
    `Cannot read the server's answer: "${text.slice(0, 40)}" is no epoch`,
  );
}
