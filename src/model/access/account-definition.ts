import type { FieldError } from "../../foundation/index.ts";
import { AGE, columnsOf, NAME } from "../columns.ts";
import type { ResourceDefinition } from "../definition.ts";
import type { KubeObject } from "../object.ts";
import { fillDefaults } from "../schema/defaults.ts";
import { objectSchema } from "../schema/metadata.ts";
import { flag, oneOf, structure, text } from "../schema/vocabulary.ts";
import { type Account, ROLES } from "./access.ts";

const accountSchema = objectSchema(
  "parasaus.io/v1",
  "Account",
  "Somebody, or some program, that may ask. Passwords and sessions are no part of it, and are shown nowhere.",
  {
    spec: structure(
      {
        displayName: text("Name for people.", { maxLength: 128 }),
        role: oneOf(
          ROLES,
          "What the account may do everywhere, also with what belongs to the whole cluster; absent: only what RoleBindings give.",
        ),
        disabled: flag("Whether the account is let in no more. Its sessions end at once.", {
          default: false,
        }),
        oidcName: text(
          "How the OIDC provider knows the account, by the claim of --oidc-username-claim; absent: it does not log in by OIDC.",
          { maxLength: 256 },
        ),
      },
      "What the account may do.",
      { default: {} },
    ),
  },
);

/** Names with this beginning are those of controllers and agents. */
function nameErrors({ metadata: { name } }: KubeObject): readonly FieldError[] {
  if (name !== "system" && name !== "anonymous") return [];
  const message = `found "${name}", which no account may be called`;
  return [{ field: "metadata.name", reason: "FieldValueForbidden", message }];
}

/** Accounts: `parasaus.io/v1`, cluster-wide. */
export const accountDefinition: ResourceDefinition = {
  group: "parasaus.io",
  version: "v1",
  kind: "Account",
  plural: "accounts",
  singular: "account",
  shortNames: [],
  categories: [],
  namespaced: false,
  nameFormat: "label",
  writable: true,
  hasStatus: false,
  schema: accountSchema,
  selectableFields: ["spec.role"],
  columns: columnsOf<Account>({
    NAME,
    ROLE: { description: "What it may do everywhere.", cell: ({ spec }) => spec.role },
    DISABLED: {
      description: "Whether it is let in no more.",
      cell: ({ spec }) => String(spec.disabled ?? false),
    },
    "OIDC NAME": {
      description: "How an OIDC provider knows it.",
      wide: true,
      cell: ({ spec }) => spec.oidcName,
    },
    "DISPLAY NAME": { description: "Name for people.", wide: true, cell: ({ spec }) => spec.displayName },
    AGE,
  }),
  applyDefaults: (object) => fillDefaults(accountSchema, object) as KubeObject,
  validate: nameErrors,
};
