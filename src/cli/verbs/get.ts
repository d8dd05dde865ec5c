import { ParasausError } from "../../foundation/index.ts";
import type { KubeObject } from "../../model/index.ts";
import type { Selection, WatchEvent } from "../../resources/index.ts";
import { type Connection, connect } from "../client/connection.ts";
import { qualifiedName, readTargets, type Target } from "../client/kinds.ts";
import { createLastOperations, type LastOperations } from "../client/last-operations.ts";
import { NAMESPACE_OPTION, namespaceOf, referenceTo } from "../client/namespaces.ts";
import { EXIT } from "../output/errors.ts";
import { createObjectPrinter, type ObjectPrinter } from "../output/objects.ts";
import { type Invocation, isSet, textOption, type Verb } from "../verb.ts";

/** `parasaus get`. */
export const get: Verb = {
  arguments: [
    { syntax: "<kind>", description: "kind, KIND/NAME, or kinds with commas: pools, services, nodes, all" },
    { syntax: "[name...]", description: "names; without, all of them" },
  ],
  options: [
    NAMESPACE_OPTION,
    { flags: "-A, --all-namespaces", description: "objects of all namespaces" },
    {
      flags: "-o, --output <format>",
      description: "output format",
      choices: ["table", "wide", "json", "yaml", "name"],
    },
    { flags: "-l, --selector <labels>", description: "only objects with these labels: app=web,tier!=test" },
    { flags: "--field-selector <fields>", description: "only objects with these fields: metadata.name=web" },
    { flags: "-w, --watch", description: "go on and show each change" },
    { flags: "--no-headers", description: "no line of headings" },
  ],
  programs: ["client"],
  examples: [
    ["Pools, where they listen and how many members are up", "parasaus get pools -A"],
    ["One pool with everything that is stored", "parasaus get pool/web -n shop -o yaml"],
    ["Follow the members' health", "parasaus get pools -n shop -o wide -w"],
    ["Names, for scripts", "parasaus get services -l app=web -o name"],
  ],
  run: getObjects,
};

async function getObjects(invocation: Invocation): Promise<number> {
  const targets = readTargets(invocation.arguments);
  const connection = connect(invocation);
  const namespace = namespaceOf(invocation);
  const printer = createObjectPrinter(
    invocation,
    new Set(targets.map((target) => target.definition)).size > 1,
  );
  const isWide = textOption(invocation, "output") === "wide";
  const last = createLastOperations(isWide ? connection : undefined, namespace);
  const revisions: string[] = [];
  let found = 0;
  for (const target of targets) {
    const { objects, revision } = await read(connection, target, invocation, namespace);
    found += objects.length;
    revisions.push(revision);
    await printer.add(target, await last.joined(objects));
  }
  await printer.finish();
  if (found === 0 && printer.isForPeople && !isSet(invocation, "watch")) {
    const where = namespace === undefined || targets.every(({ definition }) => !definition.namespaced);
    invocation.terminal.stderr.write(`No objects found${where ? "" : ` in namespace "${namespace}"`}\n`);
  }
  if (!isSet(invocation, "watch")) return EXIT.ok;
  await follow(connection, targets, revisions, { invocation, printer, last });
  return EXIT.interrupted;
}

async function read(
  { resources }: Connection,
  { definition, name }: Target,
  invocation: Invocation,
  namespace: string | undefined,
): Promise<{ objects: readonly KubeObject[]; revision: string }> {
  if (name !== undefined) {
    if (isSet(invocation, "allNamespaces") && definition.namespaced) {
      throw new ParasausError(
        "Usage",
        `Cannot get ${qualifiedName(definition, name)} by name in all namespaces`,
      );
    }
    const object = await resources.get(referenceTo(definition, name, namespace));
    return { objects: [object], revision: object.metadata.resourceVersion ?? "0" };
  }
  const list = await resources.list(
    definition,
    selectionOf(invocation, definition.namespaced ? namespace : undefined),
  );
  return { objects: list.items, revision: list.resourceVersion };
}

function selectionOf(invocation: Invocation, namespace: string | undefined): Selection {
  const labelSelector = textOption(invocation, "selector");
  const fieldSelector = textOption(invocation, "fieldSelector");
  return {
    ...(namespace === undefined ? {} : { namespace }),
    ...(labelSelector === undefined ? {} : { labelSelector }),
    ...(fieldSelector === undefined ? {} : { fieldSelector }),
  };
}

async function follow(
  { resources }: Connection,
  targets: readonly Target[],
  revisions: readonly string[],
  { invocation, printer, last }: { invocation: Invocation; printer: ObjectPrinter; last: LastOperations },
): Promise<void> {
  const { signal } = invocation.terminal;
  const one = async (target: Target, resourceVersion: string) => {
    const { definition, name } = target;
    const selection = selectionOf(invocation, definition.namespaced ? namespaceOf(invocation) : undefined);
    for await (const event of resources.watch(definition, { ...selection, resourceVersion, signal })) {
      if (!concerns(event, name)) continue;
      const [object = event.object] = await last.joined([event.object]);
      await printer.change(target, { ...event, object });
    }
  };
  await Promise.all(targets.map((target, index) => one(target, revisions[index] ?? "0")));
}

type ObjectEvent = Exclude<WatchEvent, { type: "BOOKMARK" }>;

function concerns(event: WatchEvent, name: string | undefined): event is ObjectEvent {
  return event.type !== "BOOKMARK" && (name === undefined || event.object.metadata.name === name);
}
