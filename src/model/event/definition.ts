import { columnsOf } from "../columns.ts";
import type { ResourceDefinition } from "../definition.ts";
import { objectSchema } from "../schema/metadata.ts";
import { integer, oneOf, structure, text, timestamp } from "../schema/vocabulary.ts";
import type { KubeEvent } from "./event.ts";

const involvedObject = structure(
  {
    apiVersion: text("API version of the object."),
    kind: text("Kind of the object."),
    namespace: text("Namespace of the object; absent for kinds that belong to the whole cluster."),
    name: text("Name of the object."),
    uid: text("UID of the object."),
    fieldPath: text("The member that is meant, spec.members{ip:port}, where it is one."),
  },
  "The object that it happened to.",
);

const eventSchema = objectSchema(
  "v1",
  "Event",
  "Something that happened to an object: an operation, the last change of a condition, or of a member's verdict. Worked out when it is read, not stored.",
  {
    involvedObject,
    type: oneOf(["Normal", "Warning"], "Warning for what an operator should look at."),
    reason: text("What happened, in one CamelCase word for programs."),
    message: text("What happened, in one sentence for people."),
    source: structure({ component: text("The component.") }, "Who says so."),
    reportingComponent: text("Who says so."),
    firstTimestamp: timestamp("When it happened."),
    lastTimestamp: timestamp("When it happened."),
    count: integer("Always 1: what was before is not kept.", 1, 1),
  },
);

function objectText({ involvedObject: { kind, name } }: KubeEvent): string {
  return `${kind.toLowerCase()}/${name}`;
}

/** Events: `v1`, namespaced, read-only. They are not stored, so they are not among the {@link DEFINITIONS}. */
export const eventDefinition: ResourceDefinition = {
  group: "",
  version: "v1",
  kind: "Event",
  plural: "events",
  singular: "event",
  shortNames: ["ev"],
  categories: [],
  namespaced: true,
  writable: false,
  watchable: false,
  hasStatus: false,
  schema: eventSchema,
  selectableFields: [
    "involvedObject.apiVersion",
    "involvedObject.kind",
    "involvedObject.namespace",
    "involvedObject.name",
    "involvedObject.uid",
    "involvedObject.fieldPath",
    "reason",
    "reportingComponent",
    "type",
  ],
  columns: columnsOf<KubeEvent>({
    "LAST SEEN": { description: "When it happened.", type: "date", cell: (event) => event.lastTimestamp },
    TYPE: { description: "Normal or Warning.", cell: ({ type }) => type },
    REASON: { description: "What happened.", cell: ({ reason }) => reason },
    OBJECT: { description: "The object that it happened to.", cell: objectText },
    SUBOBJECT: {
      description: "The member that is meant.",
      wide: true,
      cell: (event) => event.involvedObject.fieldPath,
    },
    SOURCE: { description: "Who says so.", wide: true, cell: ({ source }) => source.component },
    MESSAGE: { description: "What happened, in a sentence.", cell: ({ message }) => message },
    NAME: { description: "Name of the event.", wide: true, cell: ({ metadata }) => metadata.name },
  }),
  applyDefaults: (object) => object,
  validate: () => [],
};
