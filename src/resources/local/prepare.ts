import { randomUUID } from "node:crypto";
import { isDeepStrictEqual } from "node:util";
import { type Clock, ParasausError } from "../../foundation/index.ts";
import {
  type KubeObject,
  type ObjectMeta,
  type ResourceDefinition,
  validateObject,
} from "../../model/index.ts";
import type { WriteOptions } from "../resources.ts";
import { secondsOf } from "./operations.ts";

type Loose = KubeObject & { readonly status?: unknown; readonly spec?: unknown };

/** Characters that Kubernetes' generated names consist of: no vowels, so that they form no words. */
const SUFFIX_CHARACTERS = "bcdfghjklmnpqrstvwxz2456789";
const MAX_GENERATED_PREFIX_LENGTH = 58;

/** A random name suffix. */
export function randomSuffix(random: () => number, length = 5): string {
  const pick = () => SUFFIX_CHARACTERS[Math.floor(random() * SUFFIX_CHARACTERS.length)] ?? "b";
  return Array.from({ length }, pick).join("");
}

/**
 * What is stored for an object that a client wants to create: valid, with defaults and what the server keeps.
 *
 * @throws ParasausError `Invalid`, `BadRequest`
 */
export function prepareCreate(
  definition: ResourceDefinition,
  input: unknown,
  options: WriteOptions,
  source: { readonly clock: Clock; readonly random: () => number },
): KubeObject {
  const named = withName(withoutStatus(definition, input), source.random);
  const { metadata, ...content } = validated(definition, named, options);
  if (metadata.resourceVersion) {
    throw new ParasausError("BadRequest", "resourceVersion should not be set on objects to be created");
  }
  const { deletionTimestamp, ...own } = metadata;
  return {
    ...content,
    metadata: {
      ...own,
      ...(definition.namespaced ? { namespace: own.namespace || "default" } : {}),
      uid: randomUUID(),
      generation: 1,
      creationTimestamp: secondsOf(source.clock.now()),
    },
  };
}

/**
 * What is stored for an object that a client wants to replace: valid, with the other half (status or spec) and what
 * the server keeps as it is. The same object as `current` when nothing changes.
 *
 * @throws ParasausError `Invalid`, `BadRequest`, `MethodNotAllowed`
 */
export function prepareUpdate(
  definition: ResourceDefinition,
  input: unknown,
  current: KubeObject,
  options: WriteOptions,
): KubeObject {
  const next =
    options.subresource === "status"
      ? withStatus(definition, input, current, options)
      : withContent(definition, input, current, options);
  return isDeepStrictEqual(next, current) ? current : next;
}

function withContent(
  definition: ResourceDefinition,
  input: unknown,
  current: KubeObject,
  options: WriteOptions,
): KubeObject {
  const valid = validated(definition, withoutStatus(definition, input), options, current);
  const { status } = current as Loose;
  const kept = definition.hasStatus && status !== undefined ? { status } : {};
  const next = { ...valid, metadata: keepServerMetadata(valid.metadata, current.metadata), ...kept };
  refuseNewFinalizers(definition, next.metadata, current.metadata);
  if (isDeepStrictEqual(contentOf(next), contentOf(current))) return next;
  return { ...next, metadata: { ...next.metadata, generation: (current.metadata.generation ?? 1) + 1 } };
}

function withStatus(
  definition: ResourceDefinition,
  input: unknown,
  current: KubeObject,
  options: WriteOptions,
): KubeObject {
  if (!definition.hasStatus) {
    throw new ParasausError("MethodNotAllowed", `A ${definition.kind} has no status to write`);
  }
  const { status } = (input ?? {}) as Loose;
  const { status: _, ...rest } = current as Loose;
  const merged = status === undefined ? rest : { ...rest, status };
  const valid = validated(definition, merged, options, current);
  // Defaults that are newer than the object must not slip in through its status.
  return { ...rest, ...("status" in valid ? { status: valid.status } : {}) };
}

function validated(
  definition: ResourceDefinition,
  input: unknown,
  options: WriteOptions,
  current?: KubeObject,
): KubeObject {
  const mode = options.fieldValidation ?? "Strict";
  const { object, warnings, refusal } = validateObject(definition, input, mode, current);
  for (const warning of warnings) options.onWarning?.(warning);
  if (refusal) throw refusal;
  if (!object)
    throw new ParasausError("Internal", `Validation of a ${definition.kind} gave neither object nor refusal`);
  return object;
}

/** Ordinary writes neither read nor check the status that comes along. */
function withoutStatus(definition: ResourceDefinition, input: unknown): unknown {
  if (!definition.hasStatus || typeof input !== "object" || input === null || Array.isArray(input))
    return input;
  const { status, ...rest } = input as Loose;
  return rest;
}

function withName(input: unknown, random: () => number): unknown {
  const { metadata } = (input ?? {}) as Partial<KubeObject>;
  if (typeof metadata !== "object" || metadata === null || metadata.name) return input;
  if (typeof metadata.generateName !== "string" || metadata.generateName === "") return input;
  const name = metadata.generateName.slice(0, MAX_GENERATED_PREFIX_LENGTH) + randomSuffix(random);
  return { ...(input as object), metadata: { ...metadata, name } };
}

function keepServerMetadata(next: ObjectMeta, current: ObjectMeta): ObjectMeta {
  const { uid, generation, creationTimestamp, deletionTimestamp, resourceVersion, generateName } = current;
  const { deletionTimestamp: _, generateName: __, ...own } = next;
  const kept = { uid, generation, creationTimestamp, deletionTimestamp, resourceVersion, generateName };
  const present = Object.entries(kept).filter(([, value]) => value !== undefined);
  const { name, namespace } = current;
  return { ...own, name, ...(namespace ? { namespace } : {}), ...Object.fromEntries(present) };
}

function refuseNewFinalizers(definition: ResourceDefinition, next: ObjectMeta, current: ObjectMeta): void {
  if (!current.deletionTimestamp) return;
  const added = next.finalizers?.find((finalizer) => !current.finalizers?.includes(finalizer));
  if (added === undefined) return;
  const message = `${definition.kind} "${current.name}" is invalid: metadata.finalizers: Forbidden: no new finalizers can be added if the object is being deleted, found "${added}"`;
  throw new ParasausError("Invalid", message, {
    fields: [
      {
        field: "metadata.finalizers",
        reason: "FieldValueForbidden",
        message: `Forbidden: "${added}" is new`,
      },
    ],
    object: { group: definition.group, kind: definition.kind, name: current.name },
  });
}

/** What a change of raises the generation: all but metadata and status. */
function contentOf(object: KubeObject): unknown {
  const { metadata, status, ...content } = object as Loose;
  return content;
}
