import type { FieldError } from "../../foundation/index.ts";
import { AGE, columnsOf, NAME } from "../columns.ts";
import type { ResourceDefinition } from "../definition.ts";
import type { KubeObject } from "../object.ts";
import { objectSchema } from "../schema/metadata.ts";
import { list, oneOf, SET, structure, text, timestamp } from "../schema/vocabulary.ts";
import { type ApiToken, ROLES } from "./access.ts";

const apiTokenSchema = objectSchema(
  "parasaus.io/v1",
  "ApiToken",
  "A token that speaks for an account until it ends. Made with `parasaus token create`, which shows the token once; deleting the object ends it.",
  {
    spec: structure(
      {
        account: text("Name of the account that it speaks for."),
        role: oneOf(ROLES, "What it may do at most; absent: whatever its account may."),
        namespaces: list(
          text("Name of a namespace."),
          "Where it may do that; absent: wherever its account may, and with what belongs to the whole cluster.",
          { ...SET, maxItems: 256 },
        ),
        expires: timestamp("When it ends."),
        description: text("What it is for.", { maxLength: 256 }),
      },
      "Whom it speaks for, and how far.",
      { required: ["account", "expires"] },
    ),
  },
  ["spec"],
);

/** The account that a token of this name belongs to: tokens are named `<account>.<anything>`. */
export function accountOfToken(name: string): string {
  return name.replace(/\..*$/s, "");
}

function tokenErrors(object: KubeObject, previous?: KubeObject): readonly FieldError[] {
  const { metadata, spec } = object as ApiToken;
  const invalid = (field: string, message: string): FieldError => ({
    field,
    reason: "FieldValueInvalid",
    message,
  });
  const isNamedSo = accountOfToken(metadata.name) === spec.account && metadata.name !== spec.account;
  const isMoved = previous !== undefined && (previous as ApiToken).spec.account !== spec.account;
  return [
    ...(isNamedSo
      ? []
      : [invalid("metadata.name", `found "${metadata.name}", expected "${spec.account}.<anything>"`)]),
    ...(isMoved ? [invalid("spec.account", "a token cannot be given to another account")] : []),
    ...(Number.isNaN(Date.parse(spec.expires))
      ? [invalid("spec.expires", `found "${spec.expires}", expected an RFC 3339 time`)]
      : []),
  ];
}

/** ApiTokens: `parasaus.io/v1`, cluster-wide. */
export const apiTokenDefinition: ResourceDefinition = {
  group: "parasaus.io",
  version: "v1",
  kind: "ApiToken",
  plural: "apitokens",
  singular: "apitoken",
  shortNames: [],
  categories: [],
  namespaced: false,
  writable: true,
  hasStatus: false,
  schema: apiTokenSchema,
  selectableFields: ["spec.account"],
  columns: columnsOf<ApiToken>({
    NAME,
    ACCOUNT: { description: "Whom it speaks for.", cell: ({ spec }) => spec.account },
    ROLE: { description: "What it may do at most.", cell: ({ spec }) => spec.role },
    NAMESPACES: { description: "Where.", cell: ({ spec }) => spec.namespaces?.join(",") },
    EXPIRES: { description: "When it ends.", cell: ({ spec }) => spec.expires },
    AGE,
  }),
  applyDefaults: (object) => object,
  validate: tokenErrors,
};
