import { ParasausError } from "../../foundation/index.ts";
import { type Node, nodeDefinition } from "../../model/index.ts";
import type { Resources } from "../../resources/index.ts";
import { connect } from "../client/connection.ts";
import { qualifiedName } from "../client/kinds.ts";
import { makeTokens } from "../node/make-token.ts";
import { revokeNodes } from "../node/revoke-nodes.ts";
import { EXIT } from "../output/errors.ts";
import { type Invocation, isSet, textOption, type Verb } from "../verb.ts";

/** `parasaus node`. */
export const node: Verb = {
  arguments: [
    {
      syntax: "<action>",
      description:
        "token: make a one-time token that a node enrols with; revoke: let it in no more; confirm: let the pools go that it holds (condition ShrinkHeld)",
    },
    { syntax: "[name...]", description: "names of nodes" },
  ],
  options: [
    { flags: "--for <duration>", description: "token: how long it is good: 15m, 24h (default: 1h)" },
    { flags: "--all", description: "confirm: every node that holds pools" },
    { flags: "--reason <text>", description: "confirm: why, for the record of operations" },
  ],
  programs: ["client"],
  examples: [
    [
      "Let a machine enrol as the node edge-7 within a quarter of an hour: bring the file there, as its help says",
      "parasaus node token edge-7 --for 15m > token",
    ],
    ["A machine is gone, and what it had must be of no use", "parasaus node revoke edge-7"],
    [
      "The pools that the server no longer has were deleted on purpose: the node may let them go",
      "parasaus node confirm edge-7",
    ],
    [
      "The same on every node that waits for it",
      "parasaus node confirm --all --reason 'restored from backup'",
    ],
  ],
  run: runAction,
};

async function runAction(invocation: Invocation): Promise<number> {
  const [action, ...names] = invocation.arguments;
  if (action === "token") {
    await makeTokens(invocation, names);
    return EXIT.ok;
  }
  if (action === "revoke") {
    await revokeNodes(invocation, names);
    return EXIT.ok;
  }
  if (action !== "confirm") {
    throw new ParasausError("Usage", `Cannot do "${action}" to a node: there are token, revoke and confirm`);
  }
  if (isSet(invocation, "all") === names.length > 0) {
    throw new ParasausError("Usage", "Cannot confirm: name the nodes, or say --all");
  }
  const { resources, operator } = connect(invocation);
  const reason = textOption(invocation, "reason");
  for (const each of names.length > 0 ? await getNodes(resources, names) : await holdingNodes(resources)) {
    const { heldShrink: shrink } = each.status ?? {};
    const { name } = each.metadata;
    if (!shrink) throw new ParasausError("Conflict", `Cannot confirm for node "${name}": it holds no pools`);
    await resources.patch(
      { definition: nodeDefinition, name },
      { type: "merge", body: { spec: { confirmedShrink: shrink.id } } },
      { operator, ...(reason === undefined ? {} : { reason }) },
    );
    const { poolCount, ofPoolCount } = shrink;
    invocation.terminal.stdout.write(
      `${qualifiedName(nodeDefinition, name)} confirmed: ${poolCount} of ${ofPoolCount} pools may go\n`,
    );
  }
  return EXIT.ok;
}

function getNodes(resources: Resources, names: readonly string[]): Promise<readonly Node[]> {
  const get = async (name: string) => (await resources.get({ definition: nodeDefinition, name })) as Node;
  return Promise.all(names.map(get));
}

async function holdingNodes(resources: Resources): Promise<readonly Node[]> {
  const { items } = await resources.list(nodeDefinition);
  return (items as readonly Node[]).filter(({ status }) => status?.heldShrink);
}
