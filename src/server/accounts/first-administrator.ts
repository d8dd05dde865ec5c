import { randomInt } from "node:crypto";
import { ParasausError } from "../../foundation/index.ts";
import { type Account, accountDefinition } from "../../model/index.ts";
import { hashToken, isTokenOf } from "../../pki/index.ts";
import { type LocalResources, storedObjects } from "../../resources/local/index.ts";
import type { Store } from "../../store/index.ts";
import type { AccountService } from "./account-service.ts";
import { FIRST_ADMINISTRATOR_KEY } from "./keys.ts";
import { checkPassword } from "./passwords.ts";

/** Letters and digits that are not taken for one another; 20 of them are 96 bits. */
const CHARACTERS = "abcdefghjkmnpqrstuvwxyz23456789";
const GROUP_COUNT = 4;
const GROUP_LENGTH = 5;

/** What the first administrator is made with. */
export interface FirstAdministratorOptions {
  readonly store: Store;
  readonly resources: LocalResources;
  readonly accounts: AccountService;
}

/** Who the first administrator wants to be. */
export interface FirstAdministrator {
  readonly code: string;
  readonly name: string;
  readonly password: string;
  /** IP address that the request came from. */
  readonly source: string;
}

/**
 * Makes the one-time code, once for all servers of a store, while there is no account.
 *
 * @returns undefined when there are accounts, or the code was made before: it is shown once
 */
export async function offerFirstAdministrator(store: Store): Promise<string | undefined> {
  const { count } = await store.range(storedObjects(accountDefinition).prefix, { limit: 1 });
  if (count > 0) return undefined;
  const code = makeCode();
  const { succeeded } = await store.transact(
    [{ key: FIRST_ADMINISTRATOR_KEY, modRevision: 0 }],
    [{ kind: "put", key: FIRST_ADMINISTRATOR_KEY, value: hashToken(code) }],
  );
  return succeeded ? code : undefined;
}

/**
 * Makes the first administrator. The code is used up by it, whoever else has it.
 *
 * @throws ParasausError `Unauthorized` when the code is not the one, or there are accounts already, `Invalid`
 */
export async function makeFirstAdministrator(
  { store, resources, accounts }: FirstAdministratorOptions,
  { code, name, password, source }: FirstAdministrator,
): Promise<Account> {
  const refusal = new ParasausError(
    "Unauthorized",
    "Cannot make the first administrator: the code is wrong, or was used; who owns the server makes accounts with parasaus account",
  );
  const entry = await store.get(FIRST_ADMINISTRATOR_KEY);
  if (!entry || !isTokenOf(code.trim().toLowerCase(), entry.value)) throw refusal;
  checkPassword(password, name);
  const asking = { operator: name, source, reason: "first administrator, by the one-time code" };
  const object = { metadata: { name }, spec: { role: "admin" } };
  // Refuses a name that cannot be before the code is gone.
  await resources.create(accountDefinition, object, { ...asking, dryRun: true });
  const used = await store.transact(
    [{ key: FIRST_ADMINISTRATOR_KEY, modRevision: entry.modRevision }],
    [{ kind: "delete", key: FIRST_ADMINISTRATOR_KEY }],
  );
  if (!used.succeeded) throw refusal;
  const made = (await resources.create(accountDefinition, object, asking)) as Account;
  await accounts.setPassword(name, password, { operator: name, source });
  return made;
}

function makeCode(): string {
  const group = () =>
    Array.from({ length: GROUP_LENGTH }, () => CHARACTERS[randomInt(CHARACTERS.length)]).join("");
  return Array.from({ length: GROUP_COUNT }, group).join("-");
}
