import type { AccountIdentity } from "../../api/index.ts";
import { type Clock, hasCode, ParasausError } from "../../foundation/index.ts";
import {
  type Account,
  type ApiToken,
  accountDefinition,
  apiTokenDefinition,
  nameComplaint,
} from "../../model/index.ts";
import { createToken, hashToken } from "../../pki/index.ts";
import type { LocalResources, RecordedEvent } from "../../resources/local/index.ts";
import { storedObjects } from "../../resources/local/index.ts";
import type { Store, StoreEntry, StoreWrite } from "../../store/index.ts";
import { csrfTokenOf } from "./csrf-token.ts";
import { apiTokenKey, passwordKey, SESSIONS_PREFIX, sessionKey } from "./keys.ts";
import { checkPassword, PasswordHasher } from "./passwords.ts";
import { RateLimit } from "./rate-limit.ts";
import type { StoredPassword, StoredSession, StoredToken } from "./stored.ts";

/** A session ends so long after its login, milliseconds. */
const SESSION_MS = 12 * 3_600_000;
const DAY_MS = 86_400_000;
const LONGEST_TOKEN_MS = 366 * DAY_MS;
/** How many ended sessions are forgotten with a new one. */
const MOST_FORGOTTEN = 50;

/** What accounts are kept with. */
export interface AccountServiceOptions {
  readonly store: Store;
  readonly resources: LocalResources;
  readonly clock: Clock;
}

/** From where and by whom something is asked, for the record. */
export interface Asking {
  readonly source: string;
  readonly operator: string;
  readonly credential?: string;
}

/** A session as whoever logged in gets it. */
export interface MadeSession {
  /** Shown nowhere else. */
  readonly secret: string;
  readonly csrfToken: string;
  readonly expires: string;
}

/** A token as whoever made it gets it. */
export interface MadeApiToken {
  /** Shown nowhere else. */
  readonly token: string;
  readonly object: ApiToken;
}

/** What a token is to be. */
export interface TokenRequest {
  readonly account: string;
  /** Behind the account's name. */
  readonly name: string;
  readonly lifetimeMs: number;
  readonly role?: string;
  readonly namespaces?: readonly string[];
  readonly description?: string;
}

/** Logins, sessions, passwords and API tokens, in the store that all servers share. */
export class AccountService {
  readonly #options: AccountServiceOptions;
  readonly #hasher = new PasswordHasher();
  readonly #perAccount: RateLimit;
  readonly #perSource: RateLimit;

  constructor(options: AccountServiceOptions) {
    this.#options = options;
    const nowMs = () => options.clock.monotonicMs();
    this.#perAccount = new RateLimit({ burst: 10, refillMs: 6_000, nowMs });
    this.#perSource = new RateLimit({ burst: 20, refillMs: 3_000, nowMs });
  }

  /**
   * Begins a session.
   *
   * @throws ParasausError `Unauthorized` without saying what is wrong, `TooManyRequests` after many failures
   */
  async login(name: string, password: string, isCookie: boolean, source: string): Promise<MadeSession> {
    this.#limit(name, source);
    const account = await this.#read<Account>(storedObjects(accountDefinition).keyOf(name));
    const stored = await this.#read<StoredPassword>(passwordKey(name));
    const own = account && stored?.uid === account.metadata.uid ? stored : undefined;
    const isRight = await this.#hasher.isRight(password, own);
    const isLetIn =
      isRight && account && own && !account.spec.disabled && !account.metadata.deletionTimestamp;
    if (!isLetIn) return this.#refuseLogin(account, source);
    this.#perAccount.giveBack(name);
    this.#perSource.giveBack(source);
    const asking = { operator: name, source };
    return this.#begin(account, own.version, isCookie, { ...asking, verb: "login" });
  }

  /**
   * Begins a browser's session of the one account that a provider's name belongs to.
   *
   * @param prove Has the provider say the name; throws `Unauthorized` when it lets nobody in.
   * @throws ParasausError `Unauthorized`, `TooManyRequests`, and what `prove` throws
   */
  async loginByOidc(
    prove: () => Promise<string>,
    source: string,
  ): Promise<{ readonly name: string; readonly session: MadeSession }> {
    this.#limitSource(source);
    const oidcName = await prove().catch(async (failure: unknown) => {
      if (hasCode(failure, "Unauthorized")) await this.#recordRefusal(undefined, source, failure.message);
      throw failure;
    });
    const { items } = await this.#options.resources.list(accountDefinition);
    const [account, another] = (items as readonly Account[]).filter(({ spec }) => spec.oidcName === oidcName);
    const isLetIn = account && !another && !account.spec.disabled && !account.metadata.deletionTimestamp;
    if (!isLetIn) {
      const why = account
        ? another
          ? "is that of two accounts"
          : "is that of a disabled account"
        : "is no account's";
      const message = `Cannot log in by OIDC: the name "${oidcName.slice(0, 256)}" ${why}`;
      await this.#recordRefusal(another ? undefined : account, source, message);
      throw new ParasausError("Unauthorized", message);
    }
    this.#perSource.giveBack(source);
    const { name } = account.metadata;
    const event = { operator: name, source, verb: "login", message: "by OIDC" } as const;
    return { name, session: await this.#begin(account, undefined, true, event) };
  }

  /** Ends a session: every server refuses it from then on. */
  async logout(identity: AccountIdentity, source: string): Promise<void> {
    const { credential, name } = identity;
    if (credential.kind !== "session") {
      throw new ParasausError(
        "BadRequest",
        "Cannot log out: a token is no session; delete the token instead",
      );
    }
    const account = await this.#read<Account>(storedObjects(accountDefinition).keyOf(name));
    const object = objectOf(name, account?.metadata.uid);
    const record: RecordedEvent = { operator: name, verb: "logout", object, source, credential: "session" };
    await this.#commit([{ kind: "delete", key: sessionKey(credential.id) }], record);
  }

  /**
   * Sets the own password, and with it ends every session of the account.
   *
   * @throws ParasausError `Forbidden` when the current one is wrong, `Invalid`, `TooManyRequests`
   */
  async changeOwnPassword(name: string, passwords: readonly [string, string], asking: Asking): Promise<void> {
    const [current, next] = passwords;
    this.#limit(name, asking.source);
    const stored = await this.#read<StoredPassword>(passwordKey(name));
    if (!(await this.#hasher.isRight(current, stored))) {
      throw new ParasausError("Forbidden", "Cannot change the password: the current one is another");
    }
    this.#perAccount.giveBack(name);
    this.#perSource.giveBack(asking.source);
    await this.setPassword(name, next, asking);
  }

  /**
   * Sets an account's password, and with it ends every session of the account.
   *
   * @throws ParasausError `NotFound`, `Invalid`
   */
  async setPassword(name: string, password: string, asking: Asking): Promise<void> {
    checkPassword(password, name);
    const account = await this.#account(name);
    const { uid = "" } = account.metadata;
    const stored = await this.#hasher.store(password, uid);
    const write: StoreWrite = { kind: "put", key: passwordKey(name), value: JSON.stringify(stored) };
    const message = "the password was set";
    await this.#commit([write], { ...asking, verb: "update", object: objectOf(name, uid), message });
  }

  /**
   * Makes a token that speaks for an account.
   *
   * @throws ParasausError `NotFound` when there is no such account, `Invalid`, `AlreadyExists`
   */
  async makeToken(asked: TokenRequest, asking: Asking): Promise<MadeApiToken> {
    const { store, resources, clock } = this.#options;
    const { account, name, lifetimeMs, role, namespaces, description } = asked;
    await this.#account(account);
    if (!(lifetimeMs >= 1_000 && lifetimeMs <= LONGEST_TOKEN_MS)) {
      const message = `Cannot make a token: its life is ${Math.round(lifetimeMs / 1_000)} s, expected 1 s to 366 days`;
      throw new ParasausError("Invalid", message);
    }
    const spec = {
      account,
      expires: new Date(clock.now().getTime() + lifetimeMs).toISOString(),
      ...(role === undefined ? {} : { role }),
      ...(namespaces === undefined ? {} : { namespaces }),
      ...(description === undefined ? {} : { description }),
    };
    const object = { metadata: { name: `${account}.${name}` }, spec };
    const made = (await resources.create(apiTokenDefinition, object, asking)) as ApiToken;
    const token = createToken();
    const stored: StoredToken = { name: made.metadata.name, uid: made.metadata.uid ?? "" };
    // Until this is written the object is a token that nobody has.
    const key = apiTokenKey(hashToken(token));
    await store.transact([], [{ kind: "put", key, value: JSON.stringify(stored) }]);
    return { token, object: made };
  }

  /** Begins a session of an account that was let in. */
  async #begin(
    account: Account,
    passwordVersion: string | undefined,
    isCookie: boolean,
    event: Pick<RecordedEvent, "operator" | "source" | "verb" | "message">,
  ): Promise<MadeSession> {
    const { metadata } = account;
    const { name, uid = "", generation = 1 } = metadata;
    const secret = createToken();
    const expires = new Date(this.#options.clock.now().getTime() + SESSION_MS).toISOString();
    const session: StoredSession = {
      ...{ account: name, uid, generation, expires, isCookie },
      ...(passwordVersion === undefined ? {} : { passwordVersion }),
    };
    const put = { kind: "put", key: sessionKey(hashToken(secret)), value: JSON.stringify(session) } as const;
    const forget = (await this.#endedSessions()).map(({ key }): StoreWrite => ({ kind: "delete", key }));
    await this.#commit([put, ...forget], { ...event, object: objectOf(name, uid) });
    return { secret, csrfToken: csrfTokenOf(secret), expires };
  }

  /** Of an account that there is the name is told in the record: in place of any other, people type passwords. */
  async #refuseLogin(account: Account | undefined, source: string): Promise<never> {
    const message = account ? "login: wrong password, or disabled" : "login: no such account";
    await this.#recordRefusal(account, source, message);
    throw new ParasausError("Unauthorized", "Cannot log in: name or password is wrong");
  }

  async #recordRefusal(account: Account | undefined, source: string, message: string): Promise<void> {
    const name = account?.metadata.name;
    const object = objectOf(name ?? "", account?.metadata.uid);
    await this.#commit([], { operator: name ?? "anonymous", verb: "refuse", object, source, message });
  }

  #limitSource(source: string): void {
    const wait = this.#perSource.take(source);
    if (wait > 0) throw tooMany(wait);
  }

  #limit(name: string, source: string): void {
    // What is no name is no account: it must not fill the memory either.
    const account = nameComplaint(name, "label") === undefined ? name : "";
    const fromSource = this.#perSource.take(source);
    const wait = fromSource > 0 ? fromSource : this.#perAccount.take(account);
    if (wait === 0) return;
    if (fromSource === 0) this.#perSource.giveBack(source);
    throw tooMany(wait);
  }

  async #account(name: string): Promise<Account> {
    return (await this.#options.resources.get({ definition: accountDefinition, name })) as Account;
  }

  async #endedSessions(): Promise<readonly StoreEntry[]> {
    const { store, clock } = this.#options;
    const { entries } = await store.range(SESSIONS_PREFIX);
    const now = clock.now();
    return entries
      .filter(({ value }) => new Date((JSON.parse(value) as StoredSession).expires) <= now)
      .slice(0, MOST_FORGOTTEN);
  }

  async #commit(writes: readonly StoreWrite[], record: RecordedEvent): Promise<void> {
    const { store, resources } = this.#options;
    await store.transact([], [...writes, resources.recordWrite(record)]);
  }

  async #read<Value>(key: string): Promise<Value | undefined> {
    const entry = await this.#options.store.get(key);
    return entry && (JSON.parse(entry.value) as Value);
  }
}

function tooMany(waitSeconds: number): ParasausError {
  const message = `Cannot log in: too many failures; try again in ${waitSeconds} s`;
  return new ParasausError("TooManyRequests", message, { retryAfterSeconds: waitSeconds });
}

function objectOf(name: string, uid = ""): RecordedEvent["object"] {
  return { apiVersion: "parasaus.io/v1", kind: "Account", name, uid };
}
