import { AGE, columnsOf, NAME } from "../columns.ts";
import type { ResourceDefinition } from "../definition.ts";
import { objectSchema } from "../schema/metadata.ts";
import { list, oneOf, SET, structure, text } from "../schema/vocabulary.ts";
import { ROLES, type RoleBinding } from "./access.ts";

const roleBindingSchema = objectSchema(
  "parasaus.io/v1",
  "RoleBinding",
  "What some accounts may do in the namespace that it is in. Several add up: the highest role counts.",
  {
    spec: structure(
      {
        role: oneOf(
          ROLES,
          "viewer reads; operator also creates, changes and deletes pools, Services and Endpoints; admin also says who may do what here.",
        ),
        accounts: list(text("Name of an account."), "Who has the role.", {
          ...SET,
          minItems: 1,
          maxItems: 1024,
        }),
      },
      "Who may do what.",
      { required: ["role", "accounts"] },
    ),
  },
  ["spec"],
);

/** RoleBindings: `parasaus.io/v1`, in a namespace. */
export const roleBindingDefinition: ResourceDefinition = {
  group: "parasaus.io",
  version: "v1",
  kind: "RoleBinding",
  plural: "rolebindings",
  singular: "rolebinding",
  shortNames: ["rb"],
  categories: [],
  namespaced: true,
  writable: true,
  hasStatus: false,
  schema: roleBindingSchema,
  selectableFields: ["spec.role"],
  columns: columnsOf<RoleBinding>({
    NAME,
    ROLE: { description: "What the accounts may do here.", cell: ({ spec }) => spec.role },
    ACCOUNTS: { description: "Who has the role.", cell: ({ spec }) => spec.accounts.join(",") },
    AGE,
  }),
  applyDefaults: (object) => object,
  validate: () => [],
};
