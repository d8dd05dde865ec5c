import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import { permitObject, writeOptionsOf } from "../../api/index.ts";
import { hasCode, ParasausError } from "../../foundation/index.ts";
import { findDefinition, type KubeObject, type ResourceDefinition, resourceOf } from "../../model/index.ts";
import { findObject, type ObjectReference } from "../../resources/index.ts";
import type { LocalResources } from "../../resources/local/index.ts";
import { writesThroughService } from "../owned-pool.ts";
import { readObjectsBody } from "../read-body.ts";
import { restoredObject } from "../rollback/restored-object.ts";
import { entityTagOf, type Preconditions, requirePreconditions } from "./entity-tag.ts";

const MOST_ATTEMPTS = 16;
const MOST_ITEMS = 500;

type Params = { readonly Params: { readonly kind: string; readonly name: string } };

/**
 * `/api/objects/KIND[/NAME]?namespace=`: objects for who does not speak Kubernetes. Writes are on condition of an ETag, which
 * names what a person has written, so that a verdict never breaks an edit. A pool that a Service owns is written through it
 * and its Endpoints.
 */
export function objectRoutes(resources: LocalResources): (app: FastifyInstance) => void {
  return (app) => {
    app.get<Params>("/api/objects/:kind", (request) => list(request, resources));
    app.get<Params>("/api/objects/:kind/:name", async (request, reply) => {
      const reference = referenceIn(request);
      await permit(request, "get", reference.definition, reference);
      return answer(reply, await resources.get(reference));
    });
    app.put<Params>("/api/objects/:kind/:name", (request, reply) => put(request, reply, resources));
    app.delete<Params>("/api/objects/:kind/:name", async (request, reply) => {
      const reference = referenceIn(request);
      await permit(request, "delete", reference.definition, reference);
      const options = optionsOf(request, reply);
      return whileRaced(async () => {
        const current = await resources.get(reference);
        requirePreconditions(preconditionsOf(request), current);
        const { resourceVersion = "" } = current.metadata;
        return resources.delete(reference, { ...options, preconditions: { resourceVersion } });
      });
    });
  };
}

async function list(request: FastifyRequest<Params>, resources: LocalResources) {
  const definition = definitionOf(request.params.kind);
  const { namespace, labelSelector, limit, continue: from } = queryOf(request);
  const place = definition.namespaced && namespace !== undefined ? { namespace } : {};
  await permit(request, "list", definition, place);
  const page = await resources.list(definition, {
    ...place,
    ...(labelSelector === undefined ? {} : { labelSelector }),
    ...(from === undefined ? {} : { continue: from }),
    limit: limitIn(limit),
  });
  return { items: page.items, ...(page.continue ? { continue: page.continue } : {}) };
}

async function put(request: FastifyRequest<Params>, reply: FastifyReply, resources: LocalResources) {
  const reference = referenceIn(request);
  const { definition, namespace } = reference;
  await permit(request, "update", definition, reference);
  const body = readObjectsBody(request);
  requireName(body, reference);
  const options = optionsOf(request, reply);
  const written = await whileRaced(async () => {
    const current = await findObject(resources, reference);
    requirePreconditions(preconditionsOf(request), current);
    const wanted = restoredObject(reference, current, body, options.onWarning);
    const through = await writesThroughService(resources, reference, current, wanted);
    if (through) {
      for (const part of through) await permit(request, "update", part.reference.definition, part.reference);
      const writes = through.map((part) => ({ reference: part.reference, edit: () => part.object }));
      await resources.writeTogether(writes, { ...options, verb: "update" });
      return resources.get(reference);
    }
    if (current) return resources.update(reference, wanted, options);
    reply.code(201);
    const place = namespace === undefined ? {} : { namespace };
    return resources.create(definition, { ...wanted, metadata: { ...wanted.metadata, ...place } }, options);
  });
  return answer(reply, written);
}

function answer(reply: FastifyReply, object: KubeObject): KubeObject {
  reply.header("etag", entityTagOf(object)).header("cache-control", "no-cache");
  return object;
}

/** Who writes a status meanwhile makes another version, and no other ETag: the condition is looked at again. */
async function whileRaced<Answer>(attempt: () => Promise<Answer>): Promise<Answer> {
  for (let count = 1; ; count += 1) {
    try {
      return await attempt();
    } catch (failure) {
      const isRace = hasCode(failure, "Conflict") || hasCode(failure, "AlreadyExists");
      if (!isRace || count === MOST_ATTEMPTS) throw failure;
    }
  }
}

/** @throws ParasausError `BadRequest` */
function requireName(body: Readonly<Record<string, unknown>>, { definition, name }: ObjectReference): void {
  const { kind = definition.kind, metadata } = body as Partial<KubeObject>;
  const given = metadata?.name ?? name;
  if (kind === definition.kind && given === name) return;
  const message = `Cannot write ${definition.kind} "${name}": the body is ${kind} "${given}"`;
  throw new ParasausError("BadRequest", message);
}

function optionsOf(request: FastifyRequest, reply: FastifyReply) {
  const warnings: string[] = [];
  return writeOptionsOf(request, (message) => {
    const told = JSON.stringify(message.replace(/[^\x20-\x7e]/g, "?"));
    if (warnings.includes(told)) return;
    warnings.push(told);
    reply.header("warning", warnings.map((each) => `299 - ${each}`).join(", "));
  });
}

function preconditionsOf({ headers }: FastifyRequest): Preconditions {
  return { ifMatch: headers["if-match"], ifNoneMatch: headers["if-none-match"] };
}

function permit(
  request: FastifyRequest,
  verb: string,
  definition: ResourceDefinition,
  place: { readonly namespace?: string; readonly name?: string },
): Promise<void> {
  const { namespace, name } = place;
  return permitObject(request, {
    ...{ kind: "object", verb, resource: resourceOf(definition) },
    ...(namespace === undefined ? {} : { namespace }),
    ...(name === undefined ? {} : { name }),
  });
}

/** @throws ParasausError `NotFound` */
function referenceIn(request: FastifyRequest<Params>): ObjectReference {
  const { kind, name } = request.params;
  const definition = definitionOf(kind);
  if (!definition.namespaced) return { definition, name };
  return { definition, name, namespace: queryOf(request)["namespace"] ?? "default" };
}

/** @throws ParasausError `NotFound` */
function definitionOf(kind: string): ResourceDefinition {
  const found = findDefinition(kind);
  if (found) return found;
  throw new ParasausError("NotFound", `Cannot find the kind "${kind}"`);
}

function queryOf({ query }: FastifyRequest): Readonly<Record<string, string | undefined>> {
  const entries = Object.entries(query as Readonly<Record<string, string | readonly string[]>>);
  return Object.fromEntries(entries.map(([name, value]) => [name, [value].flat().at(-1) || undefined]));
}

/** @throws ParasausError `BadRequest` */
function limitIn(text: string | undefined): number {
  const limit = text === undefined ? MOST_ITEMS : Number(text);
  if (Number.isInteger(limit) && limit >= 1 && limit <= MOST_ITEMS) return limit;
  throw new ParasausError("BadRequest", `Cannot list: limit is "${text}", expected 1 to ${MOST_ITEMS}`);
}
