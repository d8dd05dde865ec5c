import type { Role } from "../../../../src/model/access/access.ts";
import type { AccountRow, BoundRole } from "../../../../src/model/console/account-views.ts";
import { ApiFailure, ask } from "../../lib/api.ts";

const API = "/apis/parasaus.io/v1";
const MERGE = "application/merge-patch+json";

/** What an account may do: everywhere, and in single namespaces. */
export interface Roles {
  readonly role: Role | undefined;
  readonly bound: readonly Pick<BoundRole, "namespace" | "role">[];
}

/** What somebody fills in for a new account. */
export interface NewAccount {
  readonly name: string;
  readonly displayName: string;
  /** Empty: none, it is a program's. */
  readonly password: string;
  readonly roles: Roles;
}

/** Makes an account, then what it may, then its password. */
export async function createAccount(account: NewAccount, reason: string): Promise<void> {
  const { name, displayName, password, roles } = account;
  const { role } = roles;
  const spec = { ...(role ? { role } : {}), ...(displayName === "" ? {} : { displayName }) };
  const body = { apiVersion: "parasaus.io/v1", kind: "Account", metadata: { name }, spec };
  await ask(`${API}/accounts`, { method: "POST", body, reason });
  for (const bound of roles.bound) await bind(name, bound, reason);
  if (password !== "") await setPassword(name, password);
}

/** Sets the password of another account. */
export async function setPassword(name: string, password: string): Promise<void> {
  await ask(`/api/accounts/${encodeURIComponent(name)}/password`, { method: "POST", body: { password } });
}

/** Lets an account in no more, or again. */
export async function setDisabled(name: string, disabled: boolean, reason: string): Promise<void> {
  await patchAccount(name, { disabled }, reason);
}

/** Gives and takes roles, so that the account has these. */
export async function setRoles(account: AccountRow, wanted: Roles, reason: string): Promise<void> {
  const isWanted = (each: BoundRole) => wanted.bound.some((bound) => isSame(bound, each));
  for (const bound of wanted.bound)
    if (!account.bound.some((each) => isSame(bound, each))) await bind(account.name, bound, reason);
  for (const gone of account.bound) if (!isWanted(gone)) await unbind(account.name, gone, reason);
  if (wanted.role !== account.role) await patchAccount(account.name, { role: wanted.role ?? null }, reason);
}

/** Deletes an account, and what RoleBindings say of it: nobody who comes later under its name gets its roles. */
export async function deleteAccount({ name, bound }: AccountRow, reason: string): Promise<void> {
  for (const each of bound) await unbind(name, each, reason);
  await ask(accountPath(name), { method: "DELETE", reason });
}

/** What somebody fills in for a new token. */
export interface NewToken {
  /** Empty: the own one. */
  readonly account: string;
  readonly name: string;
  readonly lifetimeDays: number;
  readonly role: Role | undefined;
  readonly namespaces: readonly string[];
  readonly description: string;
}

/** Makes a token. @returns the token, which nobody can be shown again */
export async function createToken(asked: NewToken): Promise<string> {
  const { account, name, lifetimeDays, role, namespaces, description } = asked;
  const body = {
    ...{ name, lifetimeSeconds: lifetimeDays * 86_400 },
    ...(account === "" ? {} : { account }),
    ...(role ? { role } : {}),
    ...(namespaces.length === 0 ? {} : { namespaces }),
    ...(description === "" ? {} : { description }),
  };
  return (await ask<{ readonly token: string }>("/api/tokens", { method: "POST", body })).token;
}

/** Ends a token. */
export async function revokeToken(name: string, reason: string): Promise<void> {
  await ask(`${API}/apitokens/${encodeURIComponent(name)}`, { method: "DELETE", reason });
}

/** Another password for whoever has logged in, which ends the session. */
export async function changeOwnPassword(current: string, next: string): Promise<void> {
  await ask("/api/password", { method: "POST", body: { current, next } });
}

function accountPath(name: string): string {
  return `${API}/accounts/${encodeURIComponent(name)}`;
}

async function patchAccount(name: string, spec: object, reason: string): Promise<void> {
  await ask(accountPath(name), { method: "PATCH", contentType: MERGE, body: { spec }, reason });
}

function isSame(a: Roles["bound"][number], b: Roles["bound"][number]): boolean {
  return a.namespace === b.namespace && a.role === b.role;
}

/** One RoleBinding for each account and role, as `parasaus account grant` makes them. */
async function bind(
  name: string,
  { namespace, role }: Roles["bound"][number],
  reason: string,
): Promise<void> {
  const metadata = { name: `${name}.${role}`, namespace };
  const spec = { role, accounts: [name] };
  const body = { apiVersion: "parasaus.io/v1", kind: "RoleBinding", metadata, spec };
  await ask(bindingPath(namespace), { method: "POST", body, reason });
}

/** Takes the account out of a RoleBinding, which goes when it was the only one there. */
async function unbind(name: string, { namespace, binding }: BoundRole, reason: string): Promise<void> {
  const url = `${bindingPath(namespace)}/${encodeURIComponent(binding)}`;
  const { spec, metadata } = await ask<StoredBinding>(url);
  const accounts = spec.accounts.filter((each) => each !== name);
  const { resourceVersion } = metadata;
  if (accounts.length > 0) {
    const body = { metadata: { resourceVersion }, spec: { accounts } };
    await ask(url, { method: "PATCH", contentType: MERGE, body, reason });
    return;
  }
  const body = { apiVersion: "v1", kind: "DeleteOptions", preconditions: { resourceVersion } };
  await ask(url, { method: "DELETE", body, reason }).catch((failure: unknown) => {
    if (!(failure instanceof ApiFailure) || failure.code !== 404) throw failure;
  });
}

interface StoredBinding {
  readonly metadata: { readonly resourceVersion: string };
  readonly spec: { readonly accounts: readonly string[] };
}

function bindingPath(namespace: string): string {
  return `${API}/namespaces/${encodeURIComponent(namespace)}/rolebindings`;
}
