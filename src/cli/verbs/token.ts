import { ParasausError } from "../../foundation/index.ts";
import {
  type ApiToken,
  accountOfToken,
  apiTokenDefinition,
  parseDurationMs,
  ROLES,
} from "../../model/index.ts";
import { connect } from "../client/connection.ts";
import { qualifiedName } from "../client/kinds.ts";
import { EXIT } from "../output/errors.ts";
import { renderTable } from "../output/table.ts";
import { type Invocation, textOption, type Verb } from "../verb.ts";

const DEFAULT_LIFETIME = "720h";

/** `parasaus token`. */
export const token: Verb = {
  arguments: [
    {
      syntax: "<action>",
      description: "create: prints a new token once; list; delete: it is good for nothing any more",
    },
    { syntax: "[name]", description: "name of the token; list shows ACCOUNT.NAME" },
  ],
  options: [
    { flags: "--account <name>", description: "create: whom it speaks for (default: who asks)" },
    { flags: "--for <duration>", description: `create: how long it is good (default: ${DEFAULT_LIFETIME})` },
    {
      flags: "--role <role>",
      description: "create: what it may do at most (default: what the account may)",
      choices: ROLES,
    },
    {
      flags: "-n, --namespace <name>",
      description: "create: where it may do that (default: where the account may); may be given again",
      repeatable: true,
    },
    { flags: "--description <text>", description: "create: what it is for" },
    { flags: "--reason <text>", description: "delete: why, for the record of operations" },
  ],
  programs: ["client"],
  examples: [
    [
      "For a pipeline that changes pools in one namespace",
      "parasaus token create ci --role operator -n shop --for 24h > ci.token",
    ],
    ["kubectl with it", "kubectl config set-credentials ci --token=$(cat ci.token)"],
    ["parasaus with it", "PARASAUS_TOKEN=$(cat ci.token) parasaus get pools -n shop"],
    ["For a program that has no password", "parasaus token create scrape --account prometheus --for 8760h"],
    ["It got into the wrong hands", "parasaus token delete alice.ci --reason leaked"],
  ],
  run: runAction,
};

async function runAction(invocation: Invocation): Promise<number> {
  const [action = "", name] = invocation.arguments;
  if (action === "list") await list(invocation);
  else if (action === "create") await create(invocation, named(name, "create"));
  else if (action === "delete") await remove(invocation, named(name, "delete"));
  else
    throw new ParasausError("Usage", `Cannot do "${action}" to a token: there are create, list and delete`);
  return EXIT.ok;
}

function named(name: string | undefined, action: string): string {
  if (name !== undefined) return name;
  throw new ParasausError("Usage", `Cannot ${action}: name the token`);
}

async function create(invocation: Invocation, name: string): Promise<void> {
  const lifetime = textOption(invocation, "for") ?? DEFAULT_LIFETIME;
  const lifetimeMs = parseDurationMs(lifetime);
  if (lifetimeMs === undefined || lifetimeMs < 1_000) {
    const message = `Cannot use --for: found "${lifetime}", expected a duration like 15m or 720h`;
    throw new ParasausError("Usage", message);
  }
  const [account, role] = [textOption(invocation, "account"), textOption(invocation, "role")];
  const description = textOption(invocation, "description");
  const namespaces = invocation.options["namespace"];
  const made = await connect(invocation).ask<{
    readonly token: string;
    readonly name: string;
    readonly expires: string;
  }>("/api/tokens", {
    ...{ name, lifetimeSeconds: Math.ceil(lifetimeMs / 1_000) },
    ...(account === undefined ? {} : { account }),
    ...(role === undefined ? {} : { role }),
    ...(Array.isArray(namespaces) ? { namespaces } : {}),
    ...(description === undefined ? {} : { description }),
  });
  const { stdout, stderr } = invocation.terminal;
  stdout.write(`${made.token}\n`);
  stderr.write(
    `${qualifiedName(apiTokenDefinition, made.name)} created, good until ${made.expires}; it is shown this once\n`,
  );
}

async function list(invocation: Invocation): Promise<void> {
  const { items } = await connect(invocation).ask<{ readonly items: readonly ApiToken[] }>("/api/tokens");
  const rows = items.map(({ metadata: { name }, spec }) => [
    name,
    accountOfToken(name),
    spec.role ?? "as the account",
    spec.namespaces?.join(",") ?? "as the account",
    spec.expires,
  ]);
  invocation.terminal.stdout.write(renderTable(["NAME", "ACCOUNT", "ROLE", "NAMESPACES", "EXPIRES"], rows));
}

async function remove(invocation: Invocation, name: string): Promise<void> {
  const { resources, operator } = connect(invocation);
  const reason = textOption(invocation, "reason");
  const options = { operator, ...(reason === undefined ? {} : { reason }) };
  await resources.delete({ definition: apiTokenDefinition, name }, options);
  invocation.terminal.stdout.write(`${qualifiedName(apiTokenDefinition, name)} deleted\n`);
}
