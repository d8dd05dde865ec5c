import type { OperationLog, Sight, View } from "../../api/index.ts";
import {
  type Account,
  type AccountList,
  type AccountRow,
  type ApiToken,
  accountDefinition,
  apiTokenDefinition,
  type RoleBinding,
  roleBindingDefinition,
  type TokenRow,
} from "../../model/index.ts";
import type { Resources } from "../../resources/index.ts";

/** What the view of accounts is made of. */
export interface AccountViewSource {
  readonly resources: Pick<Resources, "list">;
  readonly log: Pick<OperationLog, "lastLoginOf">;
  /** Whatever changes an account leaves an operation. */
  readonly onChange: View["onChange"];
}

/** `GET /api/console/accounts`: the accounts and tokens that who asks may see; everybody sees the own ones. */
export function accountListView({ resources, log, onChange }: AccountViewSource): View {
  return {
    url: "/api/console/accounts",
    onChange,
    read: async ({ sight }): Promise<AccountList> => {
      const [accounts, bindings, tokens] = await Promise.all([
        resources.list(accountDefinition),
        resources.list(roleBindingDefinition),
        resources.list(apiTokenDefinition),
      ]);
      const seen = (accounts.items as readonly Account[]).filter(({ metadata }) =>
        sight.account(metadata.name),
      );
      return {
        accounts: seen.map((account) =>
          accountRow(
            account,
            bindings.items as readonly RoleBinding[],
            sight,
            log.lastLoginOf(account.metadata.name),
          ),
        ),
        tokens: (tokens.items as readonly ApiToken[])
          .filter(({ metadata }) => sight.token(metadata.name))
          .map(tokenRow),
      };
    },
  };
}

function accountRow(
  { metadata: { name, creationTimestamp = "" }, spec }: Account,
  bindings: readonly RoleBinding[],
  sight: Sight,
  lastLogin: string | undefined,
): AccountRow {
  const { displayName, role, disabled = false } = spec;
  const bound = bindings
    .filter(
      (binding) =>
        binding.spec.accounts.includes(name) && sight.binding(binding.metadata.namespace ?? "", name),
    )
    .map((binding) => ({
      namespace: binding.metadata.namespace ?? "",
      role: binding.spec.role,
      binding: binding.metadata.name,
    }));
  return {
    ...{ name, bound, isDisabled: disabled, created: creationTimestamp },
    ...(displayName === undefined ? {} : { displayName }),
    ...(role === undefined ? {} : { role }),
    ...(lastLogin === undefined ? {} : { lastLogin }),
  };
}

function tokenRow({ metadata: { name, creationTimestamp = "" }, spec }: ApiToken): TokenRow {
  const { account, description, role, namespaces, expires } = spec;
  return {
    ...{ name, account, expires, created: creationTimestamp },
    ...(description === undefined ? {} : { description }),
    ...(role === undefined ? {} : { role }),
    ...(namespaces === undefined ? {} : { namespaces }),
  };
}
