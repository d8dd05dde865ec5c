import { hasCode, ParasausError } from "../../foundation/index.ts";
import {
  type Account,
  accountDefinition,
  type RoleBinding,
  roleBindingDefinition,
} from "../../model/index.ts";
import type { WriteOptions } from "../../resources/index.ts";
import { type Connection, connect } from "../client/connection.ts";
import { qualifiedName } from "../client/kinds.ts";
import { renderTable } from "../output/table.ts";
import { type Invocation, textOption } from "../verb.ts";

/** One thing to do with accounts. */
export type AccountAction = (invocation: Invocation, name: string) => Promise<void>;

/** Makes an account, with a password unless it is a program's. */
export const createAccount: AccountAction = async (invocation, name) => {
  const connection = connect(invocation);
  const [role, namespace] = [textOption(invocation, "role"), textOption(invocation, "namespace")];
  const [displayName, oidcName] = [textOption(invocation, "displayName"), textOption(invocation, "oidcName")];
  const isProgram = invocation.options["password"] === false;
  const password = isProgram ? undefined : await newPassword(invocation, name);
  const isEverywhere = role !== undefined && namespace === undefined;
  const spec = {
    ...(isEverywhere ? { role } : {}),
    ...(displayName === undefined ? {} : { displayName }),
    ...(oidcName === undefined ? {} : { oidcName }),
  };
  // First what may be refused because the namespace is not there.
  if (role !== undefined && namespace !== undefined)
    await bind(invocation, connection, { name, role, namespace });
  await connection.resources.create(
    accountDefinition,
    { metadata: { name }, spec },
    writing(invocation, connection),
  );
  if (password !== undefined) await connection.ask(`/api/accounts/${name}/password`, { password });
  say(invocation, name, "created");
};

/** Makes the first administrator with the code that the server showed once. */
export const makeFirst: AccountAction = async (invocation, name) => {
  const { terminal } = invocation;
  const code = textOption(invocation, "code") ?? (await terminal.readSecret("Code that the server showed: "));
  const password = await newPassword(invocation, name);
  await connect(invocation).ask("/api/first-administrator", { code, name, password });
  terminal.stdout.write(
    `${qualifiedName(accountDefinition, name)} is the first administrator: parasaus login ${name}\n`,
  );
};

/** Lets an account in no more, or again. */
export const switchAccount =
  (disabled: boolean): AccountAction =>
  async (invocation, name) => {
    const connection = connect(invocation);
    const patch = { type: "merge", body: { spec: { disabled } } } as const;
    const reference = { definition: accountDefinition, name };
    await connection.resources.patch(reference, patch, writing(invocation, connection));
    say(invocation, name, disabled ? "disabled, its sessions have ended" : "enabled");
  };

/** Sets a password: the own one with the current one, another's as administrator. */
export const setPassword: AccountAction = async (invocation, name) => {
  const connection = connect(invocation);
  const who = await connection.ask<{ readonly name?: string; readonly token?: string }>("/api/whoami");
  if (who.name === name && who.token === undefined) {
    const current = await invocation.terminal.readSecret("Current password: ");
    await connection.ask("/api/password", { current, next: await newPassword(invocation, name) });
  } else {
    const password = await newPassword(invocation, name);
    await connection.ask(`/api/accounts/${name}/password`, { password });
  }
  say(invocation, name, "has a new password, its sessions have ended");
};

/** Gives a role, everywhere or in a namespace. */
export const grant: AccountAction = async (invocation, name) => {
  const connection = connect(invocation);
  const [role, namespace] = [textOption(invocation, "role"), textOption(invocation, "namespace")];
  if (role === undefined)
    throw new ParasausError("Usage", "Cannot grant: say --role admin, operator or viewer");
  if (namespace === undefined) await setRole(invocation, connection, name, role);
  else await bind(invocation, connection, { name, role, namespace });
  say(
    invocation,
    name,
    `is ${role} ${namespace === undefined ? "everywhere" : `in the namespace ${namespace}`}`,
  );
};

/** Takes the role everywhere, or every role in a namespace, away. */
export const revoke: AccountAction = async (invocation, name) => {
  const connection = connect(invocation);
  const namespace = textOption(invocation, "namespace");
  if (namespace === undefined) await setRole(invocation, connection, name, null);
  else {
    const { items } = await connection.resources.list(roleBindingDefinition, { namespace });
    for (const binding of items as readonly RoleBinding[])
      await unbind(invocation, connection, name, binding);
  }
  say(
    invocation,
    name,
    `has no role ${namespace === undefined ? "everywhere" : `in the namespace ${namespace}`} any more`,
  );
};

/** Deletes an account, and what RoleBindings say of it: nobody who comes later under its name gets its roles. */
export const deleteAccount: AccountAction = async (invocation, name) => {
  const connection = connect(invocation);
  const { items } = await connection.resources.list(roleBindingDefinition);
  for (const binding of items as readonly RoleBinding[]) await unbind(invocation, connection, name, binding);
  const reference = { definition: accountDefinition, name };
  await connection.resources.delete(reference, writing(invocation, connection));
  say(invocation, name, "deleted");
};

/** Who there is and what each may do where. */
export async function listAccounts(invocation: Invocation): Promise<void> {
  const { resources } = connect(invocation);
  const accounts = (await resources.list(accountDefinition)).items as readonly Account[];
  const bindings = (await resources.list(roleBindingDefinition)).items as readonly RoleBinding[];
  const rolesOf = (name: string) =>
    bindings
      .filter(({ spec }) => spec.accounts.includes(name))
      .map(({ metadata, spec }) => `${spec.role} in ${metadata.namespace}`);
  const rows = accounts.map(({ metadata: { name }, spec }) => [
    name,
    [...(spec.role ? [`${spec.role} everywhere`] : []), ...rolesOf(name)].join(", ") || "none",
    spec.disabled ? "disabled" : "enabled",
  ]);
  invocation.terminal.stdout.write(renderTable(["NAME", "ROLES", "STATE"], rows));
}

async function newPassword({ terminal }: Invocation, name: string): Promise<string> {
  const password = await terminal.readSecret(`New password of ${name}: `);
  if (password !== "") return password;
  throw new ParasausError("Usage", "Cannot set an empty password");
}

async function setRole(
  invocation: Invocation,
  connection: Connection,
  name: string,
  role: string | null,
): Promise<void> {
  const patch = { type: "merge", body: { spec: { role } } } as const;
  const reference = { definition: accountDefinition, name };
  await connection.resources.patch(reference, patch, writing(invocation, connection));
}

/** One RoleBinding for each account and role, so that they can be told apart by name. */
async function bind(
  invocation: Invocation,
  connection: Connection,
  { name, role, namespace }: { readonly name: string; readonly role: string; readonly namespace: string },
): Promise<void> {
  const object = { metadata: { name: `${name}.${role}`, namespace }, spec: { role, accounts: [name] } };
  const options = writing(invocation, connection);
  await connection.resources.create(roleBindingDefinition, object, options).catch((failure: unknown) => {
    if (!hasCode(failure, "AlreadyExists")) throw failure;
  });
}

async function unbind(
  invocation: Invocation,
  { resources, ...connection }: Connection,
  name: string,
  { metadata, spec }: RoleBinding,
): Promise<void> {
  if (!spec.accounts.includes(name)) return;
  const { namespace = "", resourceVersion = "" } = metadata;
  const reference = { definition: roleBindingDefinition, namespace, name: metadata.name };
  const options = writing(invocation, connection);
  const accounts = spec.accounts.filter((each) => each !== name);
  if (accounts.length === 0)
    await resources.delete(reference, { ...options, preconditions: { resourceVersion } });
  else {
    const body = { metadata: { resourceVersion }, spec: { accounts } };
    await resources.patch(reference, { type: "merge", body }, options);
  }
}

function writing(invocation: Invocation, { operator }: Pick<Connection, "operator">): WriteOptions {
  const reason = textOption(invocation, "reason");
  return { operator, ...(reason === undefined ? {} : { reason }) };
}

function say({ terminal }: Invocation, name: string, what: string): void {
  terminal.stdout.write(`${qualifiedName(accountDefinition, name)} ${what}\n`);
}
