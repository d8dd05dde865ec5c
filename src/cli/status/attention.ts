import { formatHostPort } from "../../foundation/index.ts";
import {
  type Condition,
  definitionFor,
  isBadNews,
  type KubeObject,
  type MemberStatus,
  NODE_NUMBER_COUNT,
  type Node,
  type Pool,
} from "../../model/index.ts";
import { qualifiedName } from "../client/kinds.ts";

/** Something that an operator should look at. */
export interface Attention {
  /** `pool.parasaus.io/web -n shop`, as `describe` takes it. */
  readonly object: string;
  readonly message: string;
}

/** A node that has not been heard of for this long is lost, milliseconds. */
const HEARTBEAT_MS = 30_000;

/** What is wrong with the objects, in their order. */
export function findAttention(objects: readonly KubeObject[], now: Date): readonly Attention[] {
  return objects.flatMap((object) =>
    [...conditionMessages(object), ...memberMessages(object), ...nodeMessages(object, now)].map(
      (message) => ({
        object: nameOf(object),
        message,
      }),
    ),
  );
}

function nameOf({ apiVersion, kind, metadata }: KubeObject): string {
  const definition = definitionFor(apiVersion, kind);
  const name = definition ? qualifiedName(definition, metadata.name) : `${kind}/${metadata.name}`;
  return metadata.namespace ? `${name} -n ${metadata.namespace}` : name;
}

function conditionMessages(object: KubeObject): readonly string[] {
  const { status } = object as { status?: { conditions?: readonly Condition[] } };
  return (status?.conditions ?? [])
    .filter(isBadNews)
    .map(({ type, reason, message }) => `${type}: ${message || reason}`);
}

function memberMessages(object: KubeObject): readonly string[] {
  if (object.kind !== "Pool") return [];
  const { spec, status } = object as Pool;
  const down = (status?.members ?? []).filter(({ verdict }) => verdict === "down");
  if (down.length === 0) return [];
  return [`${down.length} of ${spec.members.length} members down: ${down.map(describeMember).join("; ")}`];
}

function describeMember({ ip, port, reason }: MemberStatus): string {
  return `${formatHostPort(ip, port)} ${reason}`.trim();
}

function nodeMessages(object: KubeObject, now: Date): readonly string[] {
  if (object.kind !== "Node") return [];
  const { number, heartbeat } = (object as Node).status ?? {};
  if (heartbeat === undefined) return ["never reported"];
  const silentMs = now.getTime() - Date.parse(heartbeat);
  const silence = `not heard of for ${Math.floor(silentMs / 1000)} s; it forwards what it had`;
  const numberless = `has no number: all ${NODE_NUMBER_COUNT} are taken`;
  return [...(silentMs > HEARTBEAT_MS ? [silence] : []), ...(number === undefined ? [numberless] : [])];
}
