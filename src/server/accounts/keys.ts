/** Outside of the registry, so that no resource, Operation or backup shows what is under it. */
export const SECRETS_PREFIX = "/parasaus/accounts/";

/** One entry for each session, under the hash of its secret. */
export const SESSIONS_PREFIX = `${SECRETS_PREFIX}sessions/`;

/** One entry for each API token, under its hash. */
const TOKENS_PREFIX = `${SECRETS_PREFIX}tokens/`;

/** Holds the hash of the one-time code that the first administrator is made with. */
export const FIRST_ADMINISTRATOR_KEY = `${SECRETS_PREFIX}first-administrator`;

/** Holds what an account's password is known by. */
export function passwordKey(accountName: string): string {
  return `${SECRETS_PREFIX}passwords/${accountName}`;
}

/** Holds whose session has this hash. */
export function sessionKey(hash: string): string {
  return `${SESSIONS_PREFIX}${hash}`;
}

/** Holds which ApiToken has this hash. */
export function apiTokenKey(hash: string): string {
  return `${TOKENS_PREFIX}${hash}`;
}
