import { ParasausError } from "../../foundation/index.ts";
import { ROLES } from "../../model/index.ts";
import {
  type AccountAction,
  createAccount,
  deleteAccount,
  grant,
  listAccounts,
  makeFirst,
  revoke,
  setPassword,
  switchAccount,
} from "../account/actions.ts";
import { EXIT } from "../output/errors.ts";
import type { Invocation, Verb } from "../verb.ts";

const ACTIONS: Readonly<Record<string, AccountAction>> = {
  create: createAccount,
  delete: deleteAccount,
  disable: switchAccount(true),
  enable: switchAccount(false),
  first: makeFirst,
  grant,
  password: setPassword,
  revoke,
};

/** `parasaus account`. */
export const account: Verb = {
  arguments: [
    {
      syntax: "<action>",
      description:
        "list, create, delete, disable, enable, password, grant, revoke; first: the first administrator",
    },
    { syntax: "[account]", description: "name of the account" },
  ],
  options: [
    { flags: "--role <role>", description: "create, grant: what it may do", choices: ROLES },
    {
      flags: "-n, --namespace <name>",
      description: "create, grant, revoke: only in this namespace (default: everywhere)",
    },
    { flags: "--display-name <text>", description: "create: name for people" },
    { flags: "--oidc-name <name>", description: "create: how the OIDC provider knows it" },
    { flags: "--no-password", description: "create: for a program, which has tokens alone" },
    {
      flags: "--code <code>",
      description: "first: what the server showed at its first start (default: asks)",
    },
    { flags: "--reason <text>", description: "why, for the record of operations" },
  ],
  programs: ["client"],
  examples: [
    [
      "Become the first administrator with the code that the server showed at its first start",
      "parasaus account first alice",
    ],
    [
      "Somebody who may change pools in one namespace; asks for the password",
      "parasaus account create bob --role operator -n shop",
    ],
    [
      "A program that reads everything, by a token",
      "parasaus account create prometheus --role viewer --no-password",
    ],
    [
      "Somebody who logs in at the OIDC provider alone",
      "parasaus account create eve --role viewer --no-password --oidc-name eve@example.com",
    ],
    ["Bob may also look at another namespace", "parasaus account grant bob --role viewer -n billing"],
    [
      "Nobody gets in as bob from now on; his sessions end at once",
      "parasaus account disable bob --reason 'left'",
    ],
  ],
  run: runAction,
};

async function runAction(invocation: Invocation): Promise<number> {
  const [action = "", name] = invocation.arguments;
  if (action === "list") {
    await listAccounts(invocation);
    return EXIT.ok;
  }
  const act = Object.hasOwn(ACTIONS, action) ? ACTIONS[action] : undefined;
  if (!act) {
    const known = ["list", ...Object.keys(ACTIONS)].join(", ");
    throw new ParasausError("Usage", `Cannot do "${action}" to an account: there are ${known}`);
  }
  if (name === undefined) throw new ParasausError("Usage", `Cannot ${action}: name the account`);
  await act(invocation, name);
  return EXIT.ok;
}
