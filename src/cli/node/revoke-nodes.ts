import { ParasausError } from "../../foundation/index.ts";
import { nodeDefinition } from "../../model/index.ts";
import { connect } from "../client/connection.ts";
import { qualifiedName } from "../client/kinds.ts";
import type { Invocation } from "../verb.ts";

/** Ends the enrolment of each node. */
export async function revokeNodes(invocation: Invocation, names: readonly string[]): Promise<void> {
  if (names.length === 0) throw new ParasausError("Usage", "Cannot revoke: name the nodes");
  const { revokeNode } = connect(invocation);
  for (const name of names) {
    await revokeNode(name);
    invocation.terminal.stdout.write(
      `${qualifiedName(nodeDefinition, name)} revoked: servers refuse its certificate; what it forwards it forwards until its agent is uninstalled\n`,
    );
  }
}
