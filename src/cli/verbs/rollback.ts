import { findDefinition, type KubeObject } from "../../model/index.ts";
import { connect } from "../client/connection.ts";
import { qualifiedName } from "../client/kinds.ts";
import { NAMESPACE_OPTION } from "../client/namespaces.ts";
import { EXIT } from "../output/errors.ts";
import { type Invocation, isSet, textOption, type Verb } from "../verb.ts";
import { namedObject } from "./history.ts";

/** `parasaus rollback`. */
export const rollback: Verb = {
  arguments: [{ syntax: "<kind/name>", description: "the object; one that was deleted comes back" }],
  options: [
    {
      flags: "--to <revision>",
      description: "what it was right after this revision (default: before the last operation)",
    },
    { flags: "-m, --member <ip:port>", description: "this member of a pool alone" },
    { flags: "--dry-run", description: "say whether it would be taken, and change nothing" },
    { flags: "--reason <text>", description: "why, for the record of operations" },
    NAMESPACE_OPTION,
  ],
  programs: ["client"],
  examples: [
    [
      "Undo the last operation on a pool, with its Service and Endpoints where it has some",
      "parasaus rollback pool/web -n shop",
    ],
    [
      "To what it was at a revision that parasaus history shows",
      "parasaus rollback pool/web -n shop --to 4711",
    ],
    ["One member", "parasaus rollback pool/web -n shop --member 10.0.0.7:80"],
  ],
  run: rollBack,
};

interface RollbackAnswer {
  readonly revision: string;
  readonly objects: readonly KubeObject[];
  readonly warnings: readonly string[];
}

async function rollBack(invocation: Invocation): Promise<number> {
  const [revision, reason] = [textOption(invocation, "to"), textOption(invocation, "reason")];
  const isDryRun = isSet(invocation, "dryRun");
  const answer = await connect(invocation).ask<RollbackAnswer>("/api/rollback", {
    ...namedObject(invocation),
    ...(revision === undefined ? {} : { revision }),
    ...(reason === undefined ? {} : { reason }),
    ...(isDryRun ? { dryRun: true } : {}),
  });
  const { stdout, stderr } = invocation.terminal;
  for (const warning of answer.warnings) stderr.write(`Warning: ${warning}\n`);
  if (answer.objects.length === 0)
    stdout.write(`Nothing to roll back: it is as at revision ${answer.revision}\n`);
  for (const { apiVersion, kind, metadata } of answer.objects) {
    const definition = findDefinition(kind, apiVersion.includes("/") ? apiVersion.split("/")[0] : "");
    const name = definition ? qualifiedName(definition, metadata.name) : metadata.name;
    stdout.write(`${name} rolled back to revision ${answer.revision}${isDryRun ? " (dry run)" : ""}\n`);
  }
  return EXIT.ok;
}
