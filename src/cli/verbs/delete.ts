import { ParasausError } from "../../foundation/index.ts";
import { definitionFor } from "../../model/index.ts";
import { collectManifests, FILE_OPTIONS } from "../apply/files.ts";
import { connect } from "../client/connection.ts";
import { qualifiedName, readTargets, type Target } from "../client/kinds.ts";
import { NAMESPACE_OPTION, namespaceOf, referenceTo } from "../client/namespaces.ts";
import { EXIT } from "../output/errors.ts";
import { type Invocation, isSet, listOption, textOption, type Verb } from "../verb.ts";

/** `parasaus delete`. */
export const deleteVerb: Verb = {
  arguments: [
    { syntax: "[kind]", description: "kind or KIND/NAME" },
    { syntax: "[name...]", description: "names" },
  ],
  options: [
    ...FILE_OPTIONS,
    NAMESPACE_OPTION,
    { flags: "--all", description: "all objects of the kind in the namespace" },
    { flags: "--ignore-not-found", description: "what is not there counts as deleted" },
    { flags: "--dry-run", description: "check and answer, but change nothing" },
    { flags: "--reason <text>", description: "why, for the record of operations" },
  ],
  programs: ["client"],
  examples: [
    ["One pool; its connections may go on for its drain time", "parasaus delete pool web -n shop"],
    ["Everything that a file describes", "parasaus delete -f web.yaml"],
  ],
  run: deleteObjects,
};

interface Doomed {
  readonly target: Target & { readonly name: string };
  readonly namespace: string | undefined;
}

async function deleteObjects(invocation: Invocation): Promise<number> {
  const { resources, operator } = connect(invocation);
  const reason = textOption(invocation, "reason");
  for (const { target, namespace } of await doomedObjects(invocation)) {
    const isDryRun = isSet(invocation, "dryRun");
    const options = { operator, dryRun: isDryRun, ...(reason === undefined ? {} : { reason }) };
    try {
      await resources.delete(referenceTo(target.definition, target.name, namespace), options);
    } catch (failure) {
      const isGone = failure instanceof ParasausError && failure.code === "NotFound";
      if (!isGone || !isSet(invocation, "ignoreNotFound")) throw failure;
      continue;
    }
    const name = qualifiedName(target.definition, target.name);
    invocation.terminal.stdout.write(`${name} deleted${isDryRun ? " (dry run)" : ""}\n`);
  }
  return EXIT.ok;
}

async function doomedObjects(invocation: Invocation): Promise<readonly Doomed[]> {
  const asked = textOption(invocation, "namespace");
  if (listOption(invocation, "filename").length > 0) {
    const manifests = await collectManifests(invocation);
    return manifests.map(({ object, where }) => {
      const definition = definitionFor(object.apiVersion, object.kind);
      if (!definition)
        throw new ParasausError("Usage", `Cannot delete ${where}: unknown kind "${object.kind}"`);
      return {
        target: { definition, name: object.metadata.name },
        namespace: object.metadata.namespace ?? asked,
      };
    });
  }
  const targets = readTargets(invocation.arguments);
  const namespace = namespaceOf(invocation);
  const doomed = await Promise.all(targets.map((target) => named(invocation, target, namespace)));
  return doomed.flat().map((target) => ({ target, namespace }));
}

async function named(
  invocation: Invocation,
  { definition, name }: Target,
  namespace: string | undefined,
): Promise<readonly (Target & { readonly name: string })[]> {
  if (name !== undefined) return [{ definition, name }];
  if (!isSet(invocation, "all")) {
    throw new ParasausError("Usage", `Cannot delete ${definition.plural}: give names, or --all`);
  }
  const { resources } = connect(invocation);
  const selection = definition.namespaced && namespace !== undefined ? { namespace } : {};
  const { items } = await resources.list(definition, selection);
  return items.map((item) => ({ definition, name: item.metadata.name }));
}
