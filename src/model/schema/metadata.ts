import type { JsonSchema } from "../definition.ts";
import {
  ATOMIC,
  dictionary,
  flag,
  freeForm,
  integer,
  list,
  mergedBy,
  oneOf,
  SET,
  structure,
  text,
  timestamp,
} from "./vocabulary.ts";

const ownerReference = structure(
  {
    apiVersion: text("API version of the owner."),
    kind: text("Kind of the owner."),
    name: text("Name of the owner."),
    uid: text("UID of the owner."),
    controller: flag("Whether the owner is the controller of this object."),
    blockOwnerDeletion: flag("Whether a foreground deletion of the owner waits for this object."),
  },
  "An object that this one belongs to: when all its owners are gone, it is garbage.",
  { required: ["apiVersion", "kind", "name", "uid"], "x-kubernetes-map-type": "atomic" },
);

const managedFields = structure(
  {
    manager: text("Who set the fields."),
    operation: text("Apply or Update."),
    apiVersion: text("API version of the fields."),
    time: timestamp("When the fields were last set."),
    fieldsType: text("Format of fieldsV1."),
    fieldsV1: freeForm("The fields."),
    subresource: text("Subresource through which the fields were set."),
  },
  "Which fields one manager set. Accepted and not kept.",
);

/** Kubernetes' ObjectMeta. */
export const objectMetaSchema: JsonSchema = structure(
  {
    name: text("Name, unique in the namespace. Cannot be changed."),
    generateName: text("Prefix from which the server makes a unique name when `name` is absent."),
    namespace: text("Namespace of the object; empty for kinds that belong to the whole cluster."),
    selfLink: text("Deprecated; accepted and not kept."),
    uid: text("Unique in time and space; made by the server."),
    resourceVersion: text(
      "Revision of the last write. A write that gives an older one is refused with Conflict; opaque to clients.",
    ),
    generation: integer("Raised by one whenever the desired state changes.", 0, Number.MAX_SAFE_INTEGER),
    creationTimestamp: timestamp("When the object was created; set by the server."),
    deletionTimestamp: timestamp("When deletion was asked for; present while finalizers hold the object."),
    deletionGracePeriodSeconds: integer(
      "Accepted for compatibility; deletion has no grace period.",
      0,
      Number.MAX_SAFE_INTEGER,
    ),
    labels: dictionary(text("Value of the label."), "Keys and values for selecting objects."),
    annotations: dictionary(
      text("Value of the annotation."),
      "Keys and values that are kept with the object and cannot be selected by; 256 KiB in all.",
    ),
    ownerReferences: list(ownerReference, "Objects that this one belongs to.", mergedBy("uid")),
    finalizers: list(
      text("Name of a finalizer."),
      "Who must release the object before it goes; the object stays with a deletionTimestamp until the list is empty.",
      SET,
    ),
    managedFields: list(managedFields, "Accepted for compatibility and not kept.", ATOMIC),
  },
  "Name, labels, annotations and what the server keeps about the object.",
);

/** Kubernetes' Condition. */
const conditionSchema: JsonSchema = structure(
  {
    type: text("Which aspect of the object the condition is about."),
    status: oneOf(["True", "False", "Unknown"], "Whether it holds."),
    reason: text("Why, in one CamelCase word for programs."),
    message: text("Why, in one sentence for people."),
    lastTransitionTime: timestamp("When `status` last changed."),
    observedGeneration: integer(
      "The metadata.generation that this was said about.",
      0,
      Number.MAX_SAFE_INTEGER,
    ),
  },
  "One statement about one aspect of the object.",
  { required: ["type", "status"] },
);

/** `status.conditions` of any kind. */
export const conditionsSchema: JsonSchema = list(
  conditionSchema,
  "What holds of the object now, one entry for each aspect.",
  mergedBy("type"),
);

/** A whole object: the four fields that every kind has, and the kind's own. */
export function objectSchema(
  apiVersion: string,
  kind: string,
  description: string,
  properties: Readonly<Record<string, JsonSchema>>,
  required: readonly string[] = [],
): JsonSchema {
  return structure(
    {
      apiVersion: text(`Version of the format: ${apiVersion}.`),
      kind: text(`Kind of the object: ${kind}.`),
      metadata: objectMetaSchema,
      ...properties,
    },
    description,
    required.length > 0 ? { required } : {},
  );
}
