import type { FastifyReply, FastifyRequest } from "fastify";
import { ParasausError } from "../../foundation/index.ts";
import { apiVersionOf, type KubeObject, type ResourceDefinition } from "../../model/index.ts";
import type { DeleteOptions, ObjectReference, Resources, WriteOptions } from "../../resources/index.ts";
import { permitName } from "../access/permit.ts";
import { sendPieces } from "./list-stream.ts";
import { waitForTurn } from "./list-turn.ts";
import { PacedResponse } from "./paced-response.ts";
import { isDryRun, isSet, listOptionsOf, queryOf, selectionOf, writeOptionsOf } from "./query.ts";
import { type Representation, representationOf } from "./representation.ts";
import { type Addressed, readDeleteOptions, readObject, readPatch } from "./request-object.ts";
import { serveWatch, type WatchContext } from "./watch.ts";

/** Answers one verb; what it returns is sent as JSON. */
export type Verb = (request: FastifyRequest, reply: FastifyReply) => Promise<unknown>;

/** The verbs of one kind over HTTP. */
export interface Verbs {
  readonly get: Verb;
  /** list, or watch with `?watch=true`. */
  readonly list: Verb;
  readonly create: Verb;
  readonly update: Verb;
  readonly patch: Verb;
  readonly remove: Verb;
  readonly removeCollection: Verb;
  readonly updateStatus: Verb;
  readonly patchStatus: Verb;
}

const DELETE_PAGE = 500;

/** Makes the verbs of one kind. */
export function createVerbs(context: WatchContext): Verbs {
  const { resources, definition, encoder } = context;
  const send = (request: FastifyRequest, object: KubeObject): unknown =>
    encoder.one(object, representationFor(request));

  const write =
    (
      act: (request: FastifyRequest, options: WriteOptions & WarningSink) => Promise<KubeObject>,
      code = 200,
    ): Verb =>
    async (request, reply) => {
      const options = writeOptionsOf(request, warnOn(reply));
      const object = await act(request, options);
      reply.code(code);
      return send(request, object);
    };
  const update = async (
    request: FastifyRequest,
    options: WriteOptions & WarningSink,
  ): Promise<KubeObject> => {
    const reference = referenceOf(request, definition);
    const object = readObject(bodyOf(request), reference, options.fieldValidation, options.onWarning);
    return await resources.update(reference, object, options);
  };
  const patch = async (request: FastifyRequest, options: WriteOptions & WarningSink): Promise<KubeObject> => {
    const change = readPatch(bodyOf(request), options.fieldValidation, options.onWarning);
    return await resources.patch(referenceOf(request, definition), change, options);
  };

  return {
    get: async (request) => {
      const object = await resources.get(referenceOf(request, definition));
      return send(request, await context.decorate(object));
    },
    list: async (request, reply) => {
      const query = queryOf(request);
      const { namespace } = addressedBy(request, definition);
      const representation = representationFor(request);
      if (isSet(query, "watch")) {
        await serveWatch(request, reply, context, namespace, representation);
        return reply;
      }
      const options = listOptionsOf(query, namespace);
      using seat = await waitForTurn(request, reply, { lists: context.lists, definition, options });
      const list = await resources.list(definition, options);
      const response = new PacedResponse(reply, {
        slowClientMs: context.slowClientMs,
        onDropped: () => context.onSlowClient("list", request),
        onHesitation: () => seat[Symbol.dispose](),
      });
      const short = await sendPieces(encoder.list(list, representation), response);
      return short === undefined ? reply : reply.type("application/json").send(short);
    },
    create: write(async (request, options) => {
      const addressed = addressedBy(request, definition);
      const object = readObject(bodyOf(request), addressed, options.fieldValidation, options.onWarning);
      await permitName(request, (object as Partial<KubeObject>).metadata?.name);
      return await resources.create(definition, object, options);
    }, 201),
    update: write(update),
    patch: write(patch),
    updateStatus: write((request, options) => update(request, { ...options, subresource: "status" })),
    patchStatus: write((request, options) => patch(request, { ...options, subresource: "status" })),
    remove: async (request, reply) => {
      const options = deleteOptionsOf(request, reply);
      return await resources.delete(referenceOf(request, definition), options);
    },
    removeCollection: (request, reply) => removeCollection(request, reply, resources, definition),
  };
}

interface WarningSink {
  readonly onWarning: (message: string) => void;
}

/** Deletes what is there when it begins, page by page; an object that goes meanwhile is no failure. */
async function removeCollection(
  request: FastifyRequest,
  reply: FastifyReply,
  resources: Resources,
  definition: ResourceDefinition,
): Promise<unknown> {
  const options = deleteOptionsOf(request, reply);
  const { namespace } = addressedBy(request, definition);
  const selection = selectionOf(queryOf(request), namespace);
  const items: KubeObject[] = [];
  let next: string | undefined;
  do {
    const page = await resources.list(definition, {
      ...selection,
      limit: DELETE_PAGE,
      ...(next === undefined ? {} : { continue: next }),
    });
    for (const object of page.items) {
      const removed = await removeOne(object, resources, definition, options);
      if (removed) items.push(removed);
    }
    next = page.continue;
  } while (next !== undefined && next !== "");
  return { apiVersion: apiVersionOf(definition), kind: `${definition.kind}List`, metadata: {}, items };
}

async function removeOne(
  object: KubeObject,
  resources: Resources,
  definition: ResourceDefinition,
  options: DeleteOptions,
): Promise<KubeObject | undefined> {
  const { name, namespace } = object.metadata;
  try {
    return await resources.delete({ definition, name, ...(namespace ? { namespace } : {}) }, options);
  } catch (failure) {
    if (failure instanceof ParasausError && failure.code === "NotFound") return undefined;
    throw failure;
  }
}

/** Options from the query and the body, where Kubernetes' clients put them; grace periods mean nothing here. */
function deleteOptionsOf(request: FastifyRequest, reply: FastifyReply): DeleteOptions {
  const given = readDeleteOptions(bodyOf(request));
  const options = writeOptionsOf(request, warnOn(reply));
  const dryRun = [given["dryRun"] ?? []].flat().map(String);
  const policy = queryOf(request).get("propagationPolicy") ?? given["propagationPolicy"] ?? "Background";
  if (given["orphanDependents"] === true || policy === "Orphan") {
    throw new ParasausError(
      "BadRequest",
      "Cannot delete: dependents cannot be orphaned, they go with their owner",
    );
  }
  if (policy !== "Background" && policy !== "Foreground") {
    throw new ParasausError(
      "BadRequest",
      `Cannot delete: propagationPolicy ${JSON.stringify(policy)} is unknown`,
    );
  }
  if (policy === "Foreground")
    options.onWarning("dependents are deleted in the background, after their owner");
  return {
    ...options,
    ...(dryRun.some(isDryRun) ? { dryRun: true } : {}),
    ...preconditionsOf(given["preconditions"]),
  };
}

function preconditionsOf(value: unknown): Pick<DeleteOptions, "preconditions"> {
  if (value === undefined || value === null) return {};
  const { uid, resourceVersion } = value as Readonly<Record<string, unknown>>;
  const preconditions = {
    ...(typeof uid === "string" ? { uid } : {}),
    ...(typeof resourceVersion === "string" ? { resourceVersion } : {}),
  };
  return { preconditions };
}

function addressedBy(request: FastifyRequest, definition: ResourceDefinition): Addressed {
  const { namespace, name } = request.params as Readonly<Record<string, string | undefined>>;
  return {
    definition,
    ...(namespace === undefined ? {} : { namespace }),
    ...(name === undefined ? {} : { name }),
  };
}

function referenceOf(request: FastifyRequest, definition: ResourceDefinition): ObjectReference {
  const addressed = addressedBy(request, definition);
  return { ...addressed, name: addressed.name ?? "" };
}

function representationFor(request: FastifyRequest): Representation {
  return representationOf(request.headers.accept, queryOf(request).get("includeObject"));
}

function bodyOf(request: FastifyRequest): { body: Buffer | undefined; contentType: string | undefined } {
  const body = Buffer.isBuffer(request.body) ? request.body : undefined;
  return { body, contentType: request.headers["content-type"] };
}

/** Collects warnings into `Warning` headers, which kubectl prints. */
function warnOn(reply: FastifyReply): (message: string) => void {
  const warnings: string[] = [];
  return (message) => {
    const text = message.replace(/[\r\n]+/g, " ").replace(/["\\]/g, "\\$&");
    warnings.push(`299 - "${encodeNonLatin(text)}"`);
    reply.header("warning", warnings);
  };
}

function encodeNonLatin(text: string): string {
  return text.replace(/[^\x20-\x7e]/g, "?");
}
