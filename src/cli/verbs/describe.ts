import { ParasausError } from "../../foundation/index.ts";
import {
  type KubeObject,
  type MemberCounters,
  type Operation,
  operationDefinition,
} from "../../model/index.ts";
import type { Resources } from "../../resources/index.ts";
import { type Connection, connect } from "../client/connection.ts";
import { qualifiedName, readTargets, type Target } from "../client/kinds.ts";
import { NAMESPACE_OPTION, namespaceOf, referenceTo } from "../client/namespaces.ts";
import { describeObject } from "../describe/describe-object.ts";
import { EXIT } from "../output/errors.ts";
import type { Invocation, Verb } from "../verb.ts";

const MOST_OPERATIONS = 10;

/** `parasaus describe`. */
export const describe: Verb = {
  arguments: [
    { syntax: "<kind>", description: "kind or KIND/NAME" },
    { syntax: "[name...]", description: "names; without, all of them" },
  ],
  options: [NAMESPACE_OPTION, { flags: "-A, --all-namespaces", description: "objects of all namespaces" }],
  programs: ["client"],
  examples: [
    ["A pool: its members, what is wrong with them and since when", "parasaus describe pool web -n shop"],
    ["This machine", "parasaus describe nodes"],
  ],
  run: describeObjects,
};

async function describeObjects(invocation: Invocation): Promise<number> {
  const connection = connect(invocation);
  const { resources } = connection;
  const descriptions: string[] = [];
  for (const target of readTargets(invocation.arguments)) {
    for (const object of await find(resources, target, namespaceOf(invocation))) {
      descriptions.push(
        describeObject(object, {
          operations: await operationsOn(resources, object),
          traffic: await trafficOf(connection, object),
          now: new Date(),
        }),
      );
    }
  }
  if (descriptions.length === 0) invocation.terminal.stderr.write("No objects found\n");
  invocation.terminal.stdout.write(descriptions.join("\n\n"));
  return EXIT.ok;
}

async function find(
  resources: Resources,
  { definition, name }: Target,
  namespace: string | undefined,
): Promise<readonly KubeObject[]> {
  if (name !== undefined) {
    if (definition.namespaced && namespace === undefined) {
      const what = qualifiedName(definition, name);
      throw new ParasausError("Usage", `Cannot describe ${what} by name in all namespaces`);
    }
    return [await resources.get(referenceTo(definition, name, namespace))];
  }
  const selection = definition.namespaced && namespace !== undefined ? { namespace } : {};
  const listed = (await resources.list(definition, selection)).items;
  return Promise.all(
    listed.map(({ metadata }) => resources.get(referenceTo(definition, metadata.name, metadata.namespace))),
  );
}

async function trafficOf(
  { traffic }: Connection,
  { kind, metadata }: KubeObject,
): Promise<readonly MemberCounters[]> {
  if (kind !== "Pool") return [];
  try {
    return await traffic(metadata.namespace ?? "", metadata.name);
  } catch (failure) {
    if (failure instanceof ParasausError) return [];
    throw failure;
  }
}

/** The newest operations on exactly this object, newest first. */
async function operationsOn(resources: Resources, object: KubeObject): Promise<readonly Operation[]> {
  const { items } = await resources.list(operationDefinition, {
    fieldSelector: `spec.object.uid=${object.metadata.uid}`,
  });
  const newestFirst = (items as readonly Operation[]).toSorted((a, b) =>
    a.spec.time < b.spec.time ? 1 : -1,
  );
  return newestFirst.slice(0, MOST_OPERATIONS);
}
