import { ParasausError } from "../../foundation/index.ts";
import type { ResourceDefinition } from "../../model/index.ts";
import type { Patch } from "../resources.ts";
import { applyJsonPatch } from "./json-patch.ts";
import { countNodes, isObject, type JsonObject } from "./json-value.ts";
import { applyMergePatch } from "./merge-patch.ts";
import { applyStrategicMergePatch } from "./strategic-merge.ts";

/**
 * The object after a patch, not yet validated. The original is left as it is.
 *
 * @throws ParasausError `BadRequest` for what is no patch of its type, or leaves no object; `Invalid` when an
 * operation of a JSON patch cannot be applied; `TooLarge`
 */
export function applyPatch(patch: Patch, object: object, definition: ResourceDefinition): JsonObject {
  countNodes(patch.body);
  const after = apply(patch, object, definition);
  if (!isObject(after)) {
    throw new ParasausError("BadRequest", "Cannot patch: what the patch leaves is no object");
  }
  return after;
}

function apply({ type, body }: Patch, object: object, definition: ResourceDefinition): unknown {
  switch (type) {
    case "json":
      return applyJsonPatch(object, body);
    case "merge":
      return applyMergePatch(object, body);
    case "strategic":
      return applyStrategicMergePatch(object, body, definition.schema);
  }
}
