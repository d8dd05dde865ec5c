import { type AccountIdentity, type Grants, higher, type Identity, restrictGrants } from "../../api/index.ts";
import type { Clock, Logger } from "../../foundation/index.ts";
import {
  type Account,
  type ApiToken,
  accountDefinition,
  accountOfToken,
  apiTokenDefinition,
  type Role,
  type RoleBinding,
  roleBindingDefinition,
} from "../../model/index.ts";
import { hashToken } from "../../pki/index.ts";
import { storedObjects } from "../../resources/local/index.ts";
import type { Store, StoreEntry } from "../../store/index.ts";
import { followHeldKeys, type HeldKeys } from "../coordination/held-keys.ts";
import { News } from "../coordination/news.ts";
import { csrfTokenOf } from "./csrf-token.ts";
import { apiTokenKey, passwordKey, SECRETS_PREFIX, sessionKey } from "./keys.ts";
import type { StoredPassword, StoredSession, StoredToken } from "./stored.ts";

/** What knowing the accounts needs. */
export interface DirectoryOptions {
  readonly store: Store;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly random: () => number;
  readonly signal: AbortSignal;
}

/** Where a credential is good. */
export type CredentialKind = "bearer" | "cookie";

/** Who is who, as far as is known here, maybe a moment late; what is not known yet is looked up. */
export interface AccountDirectory {
  /** Whose secret it is; undefined: nobody's, or of one that is let in no more. */
  identify(secret: string, kind: CredentialKind): Promise<AccountIdentity | undefined>;
  /** The same identity when nothing has changed, else what it is now. */
  refresh(identity: Identity): Identity;
  /** What an account may do by itself. */
  grantsOf(account: Account): Grants;
  /** Whether anybody may do everything. */
  hasAdministrator(): boolean;
  readonly news: News;
}

const GONE: Identity = { kind: "stranger", reason: "the session or token has ended; log in again" };

/** Begins to follow accounts, what they may do and what they are known by, until the signal aborts. */
export async function openAccountDirectory(options: DirectoryOptions): Promise<AccountDirectory> {
  const news = new News();
  const follow = (prefix: string) => followHeldKeys({ ...options, prefix, news });
  const directory = new FollowedAccounts(options, news, {
    accounts: follow(storedObjects(accountDefinition).prefix),
    bindings: follow(storedObjects(roleBindingDefinition).prefix),
    tokens: follow(storedObjects(apiTokenDefinition).prefix),
    secrets: follow(SECRETS_PREFIX),
  });
  await directory.known();
  return directory;
}

type FollowedKeys = Readonly<Record<"accounts" | "bindings" | "tokens" | "secrets", HeldKeys>>;

class FollowedAccounts implements AccountDirectory {
  readonly news: News;
  readonly #options: DirectoryOptions;
  readonly #keys: FollowedKeys;
  #roles: { readonly version: number; readonly of: ReadonlyMap<string, ReadonlyMap<string, Role>> };

  constructor(options: DirectoryOptions, news: News, keys: FollowedKeys) {
    this.#options = options;
    this.news = news;
    this.#keys = keys;
    this.#roles = { version: -1, of: new Map() };
  }

  /** Resolves when everything is known that was there at the beginning. */
  async known(): Promise<void> {
    const { signal } = this.#options;
    const isKnown = () => Object.values(this.#keys).every((keys) => keys.knows(1));
    while (!isKnown() && !signal.aborted) await this.news.since(this.news.version, signal);
  }

  async identify(secret: string, kind: CredentialKind): Promise<AccountIdentity | undefined> {
    const hash = hashToken(secret);
    await Promise.all([
      this.#learn(this.#keys.secrets, sessionKey(hash)),
      this.#learn(this.#keys.secrets, apiTokenKey(hash)),
    ]);
    const session = this.#read<StoredSession>(this.#keys.secrets, sessionKey(hash));
    if (session) {
      if (session.isCookie !== (kind === "cookie")) return undefined;
      await this.#learn(this.#keys.accounts, this.#accountKey(session.account));
      await this.#learn(this.#keys.secrets, passwordKey(session.account));
      const csrf = session.isCookie ? { csrfToken: csrfTokenOf(secret) } : {};
      return this.#bySession(hash, csrf);
    }
    const token = this.#read<StoredToken>(this.#keys.secrets, apiTokenKey(hash));
    if (!token || kind === "cookie") return undefined;
    await this.#learn(this.#keys.tokens, storedObjects(apiTokenDefinition).keyOf(token.name));
    await this.#learn(this.#keys.accounts, this.#accountKey(accountOfToken(token.name)));
    return this.#byToken(hash);
  }

  refresh(identity: Identity): Identity {
    if (identity.kind !== "account") return identity;
    const { credential } = identity;
    const { csrfToken } = credential as { csrfToken?: string };
    const now =
      credential.kind === "session"
        ? this.#bySession(credential.id, csrfToken === undefined ? {} : { csrfToken })
        : this.#byToken(credential.id);
    if (!now) return GONE;
    return isSame(identity.grants, now.grants) ? identity : now;
  }

  grantsOf({ metadata: { name }, spec }: Account): Grants {
    const namespaces = this.#rolesOf(name);
    return { ...(spec.role ? { everywhere: spec.role } : {}), namespaces };
  }

  hasAdministrator(): boolean {
    return [...this.#keys.accounts.entries.values()].some(({ value }) => {
      const { spec } = JSON.parse(value) as Account;
      return spec.role === "admin" && !spec.disabled;
    });
  }

  #bySession(hash: string, csrf: { readonly csrfToken?: string }): AccountIdentity | undefined {
    const session = this.#read<StoredSession>(this.#keys.secrets, sessionKey(hash));
    if (!session || this.#hasPassed(session.expires)) return undefined;
    const account = this.#account(session.account);
    const password = this.#read<StoredPassword>(this.#keys.secrets, passwordKey(session.account));
    const isTheSame =
      account?.metadata.uid === session.uid &&
      account.metadata.generation === session.generation &&
      (session.passwordVersion === undefined || password?.version === session.passwordVersion);
    if (!account || !isTheSame) return undefined;
    const credential = { kind: "session", id: hash, ...csrf } as const;
    return { kind: "account", name: session.account, grants: this.grantsOf(account), credential };
  }

  #byToken(hash: string): AccountIdentity | undefined {
    const stored = this.#read<StoredToken>(this.#keys.secrets, apiTokenKey(hash));
    if (!stored) return undefined;
    const key = storedObjects(apiTokenDefinition).keyOf(stored.name);
    const token = this.#read<ApiToken>(this.#keys.tokens, key);
    if (token?.metadata.uid !== stored.uid || this.#hasPassed(token.spec.expires)) return undefined;
    const account = this.#account(token.spec.account);
    if (!account) return undefined;
    const grants = restrictGrants(this.grantsOf(account), token.spec);
    const credential = { kind: "token", name: stored.name, id: hash } as const;
    return { kind: "account", name: token.spec.account, grants, credential };
  }

  /** One that is let in. */
  #account(name: string): Account | undefined {
    const account = this.#read<Account>(this.#keys.accounts, this.#accountKey(name));
    return account?.spec.disabled || account?.metadata.deletionTimestamp ? undefined : account;
  }

  #accountKey(name: string): string {
    return storedObjects(accountDefinition).keyOf(name);
  }

  #hasPassed(time: string): boolean {
    return !(Date.parse(time) > this.#options.clock.now().getTime());
  }

  #rolesOf(name: string): ReadonlyMap<string, Role> {
    const { version } = this.news;
    if (this.#roles.version !== version) this.#roles = { version, of: rolesByAccount(this.#keys.bindings) };
    return this.#roles.of.get(name) ?? new Map();
  }

  #read<Value>(keys: HeldKeys, key: string): Value | undefined {
    const entry = keys.entries.get(key);
    return entry && (JSON.parse(entry.value) as Value);
  }

  /** What was written a moment ago, here or by another server, may not have come yet. */
  async #learn(keys: HeldKeys, key: string): Promise<void> {
    if (keys.entries.has(key)) return;
    const entry = await this.#options.store.get(key);
    if (entry) keys.learn(entry);
  }
}

function rolesByAccount({ entries }: HeldKeys): ReadonlyMap<string, ReadonlyMap<string, Role>> {
  const roles = new Map<string, Map<string, Role>>();
  for (const { metadata, spec } of [...entries.values()].map(bindingIn)) {
    const namespace = metadata.namespace ?? "";
    for (const name of spec.accounts) {
      const own = roles.get(name) ?? new Map<string, Role>();
      roles.set(name, own.set(namespace, higher(own.get(namespace), spec.role) ?? spec.role));
    }
  }
  return roles;
}

function bindingIn({ value }: StoreEntry): RoleBinding {
  return JSON.parse(value) as RoleBinding;
}

function isSame(a: Grants, b: Grants): boolean {
  const textOf = ({ everywhere, namespaces }: Grants) =>
    JSON.stringify([everywhere ?? "", [...namespaces].sort()]);
  return textOf(a) === textOf(b);
}
