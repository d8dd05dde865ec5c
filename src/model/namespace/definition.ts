import { AGE, columnsOf, NAME } from "../columns.ts";
import type { ResourceDefinition } from "../definition.ts";
import type { KubeObject } from "../object.ts";
import { fillDefaults } from "../schema/defaults.ts";
import { conditionsSchema, objectSchema } from "../schema/metadata.ts";
import { ATOMIC, list, oneOf, structure, text } from "../schema/vocabulary.ts";
import type { Namespace } from "./namespace.ts";

const namespaceSchema = objectSchema("v1", "Namespace", "A room for names.", {
  spec: structure(
    {
      finalizers: list(
        text("Name of a finalizer."),
        "Who must release the namespace before it goes.",
        ATOMIC,
      ),
    },
    "What is wanted of the namespace.",
    { default: {} },
  ),
  status: structure(
    {
      phase: oneOf(["Active", "Terminating"], "Whether objects can be created in it.", { default: "Active" }),
      conditions: conditionsSchema,
    },
    "What became of the namespace.",
    { default: {} },
  ),
});

/** Namespaces: `v1`, cluster-wide. */
export const namespaceDefinition: ResourceDefinition = {
  group: "",
  version: "v1",
  kind: "Namespace",
  plural: "namespaces",
  singular: "namespace",
  shortNames: ["ns"],
  categories: [],
  namespaced: false,
  nameFormat: "label",
  writable: true,
  hasStatus: true,
  schema: namespaceSchema,
  selectableFields: ["status.phase"],
  columns: columnsOf<Namespace>({
    NAME,
    STATUS: {
      description: "Active, or Terminating while it is being deleted.",
      cell: (namespace) => namespace.status?.phase,
    },
    AGE,
  }),
  applyDefaults: (object) => fillDefaults(namespaceSchema, object) as KubeObject,
  validate: () => [],
};
