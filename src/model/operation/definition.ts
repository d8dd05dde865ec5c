import { AGE, columnsOf, NAME } from "../columns.ts";
import type { JsonSchema, ResourceDefinition } from "../definition.ts";
import { objectSchema } from "../schema/metadata.ts";
import { ATOMIC, freeForm, list, oneOf, structure, text, timestamp } from "../schema/vocabulary.ts";
import { OPERATION_VERBS, type Operation } from "./operation.ts";

const changedObject = structure(
  {
    apiVersion: text("API version of the object."),
    kind: text("Kind of the object."),
    namespace: text("Namespace of the object; absent for kinds that belong to the whole cluster."),
    name: text("Name of the object."),
    uid: text("UID of the object; empty where it was not looked at."),
  },
  "The object that was changed, or was to be; the account of a login; a route where no object was meant.",
  { required: ["apiVersion", "kind", "name", "uid"] },
);

const spec = structure(
  {
    operator: text("Who changed it."),
    time: timestamp("When it was changed."),
    verb: oneOf(OPERATION_VERBS, "What was done; refuse: what was asked for and not done."),
    object: changedObject,
    member: text("The member that was meant, ip:port, where it was one."),
    reason: text("Why, in the operator's words."),
    source: text("IP address that the request came from."),
    credential: text("What the operator was known by: session, or token and its name."),
    message: text("What was refused, and why."),
    also: list(
      structure(
        {
          object: changedObject,
          before: freeForm("As before."),
          after: freeForm("As after."),
        },
        "Another object and its change.",
        { required: ["object"] },
      ),
      "Objects that were changed together with it, in one rollback.",
      ATOMIC,
    ),
    before: freeForm("The object's spec and own metadata before; absent for create."),
    after: freeForm("The same after; absent for delete."),
    revision: text("The resourceVersion that the change made."),
  },
  "Who changed what, and when.",
  { required: ["operator", "time", "verb", "object", "revision"] },
);

const operationSchema: JsonSchema = objectSchema(
  "parasaus.io/v1",
  "Operation",
  "One recorded change of one object. Written by the server together with the change; read-only.",
  { spec },
  ["spec"],
);

function objectText({ spec: { object } }: Operation): string {
  const name = object.namespace ? `${object.namespace}/${object.name}` : object.name;
  return `${object.kind.toLowerCase()}/${name}`;
}

/** Operations: `parasaus.io/v1`, cluster-wide, read-only. */
export const operationDefinition: ResourceDefinition = {
  group: "parasaus.io",
  version: "v1",
  kind: "Operation",
  plural: "operations",
  singular: "operation",
  shortNames: ["op"],
  categories: ["parasaus"],
  namespaced: false,
  writable: false,
  hasStatus: false,
  schema: operationSchema,
  selectableFields: [
    "spec.operator",
    "spec.verb",
    "spec.member",
    "spec.source",
    "spec.object.kind",
    "spec.object.namespace",
    "spec.object.name",
    "spec.object.uid",
  ],
  columns: columnsOf<Operation>({
    NAME,
    TIME: { description: "When it was changed.", cell: (operation) => operation.spec.time },
    OPERATOR: { description: "Who changed it.", cell: (operation) => operation.spec.operator },
    VERB: { description: "What was done.", cell: (operation) => operation.spec.verb },
    OBJECT: { description: "The object that was changed.", cell: objectText },
    MEMBER: { description: "The member that was meant.", cell: (operation) => operation.spec.member },
    REASON: { description: "Why.", wide: true, cell: (operation) => operation.spec.reason },
    SOURCE: {
      description: "IP address that the request came from.",
      wide: true,
      cell: (operation) => operation.spec.source,
    },
    REVISION: {
      description: "The resourceVersion that the change made.",
      wide: true,
      cell: (operation) => operation.spec.revision,
    },
    AGE: { ...AGE, wide: true },
  }),
  applyDefaults: (object) => object,
  validate: () => [],
};
