import { randomBytes } from "node:crypto";
import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import { credentialOf, mayDo, operatorOf, permitObject } from "../../api/index.ts";
import { type Clock, ParasausError } from "../../foundation/index.ts";
import { findDefinition, resourceOf } from "../../model/index.ts";
import type { LocalResources } from "../../resources/local/index.ts";
import type { Store } from "../../store/index.ts";
import { type AppliedDocument, readDocument } from "../documents.ts";
import { optionalTextIn, readObjectsBody } from "../read-body.ts";
import { applyTogether } from "./apply-together.ts";
import { findConfirmation, keepChange } from "./keep-change.ts";
import { type ConfirmedObject, type KeptConfirmation, listConfirmations } from "./stored-confirmation.ts";

/** What the routes need. */
export interface ConfirmationRoutesSource {
  readonly resources: LocalResources;
  readonly store: Store;
  readonly clock: Clock;
  /** Of the store. */
  readonly epoch: number;
}

/**
 * `POST /api/apply` (all or nothing), `GET /api/confirmations` and `POST /api/confirmations/ID`: what is applied may wait for a
 * word, without which the server takes it back.
 */
export function confirmationRoutes(source: ConfirmationRoutesSource): (app: FastifyInstance) => void {
  return (app) => {
    app.post("/api/apply", (request, reply) => apply(request, reply, source));
    app.get("/api/confirmations", async (request) => {
      const { items } = await listConfirmations(source.store);
      const mayGet = (object: ConfirmedObject) => mayDo(request, accessTo(object, "get"));
      return { items: items.filter(({ objects }) => objects.every(mayGet)).map(shown) };
    });
    app.post<{ Params: { id: string } }>("/api/confirmations/:id", (request) => confirm(request, source));
  };
}

async function apply(request: FastifyRequest, reply: FastifyReply, source: ConfirmationRoutesSource) {
  const body = readObjectsBody(request);
  const [namespace, reason] = [optionalTextIn(body, "namespace"), optionalTextIn(body, "reason")];
  const documents = readDocuments(body["objects"], namespace);
  for (const { reference } of documents) {
    const { definition, name } = reference;
    const object = { kind: definition.kind, name };
    const place = reference.namespace === undefined ? {} : { namespace: reference.namespace };
    await permitObject(request, accessTo({ ...object, ...place }, "update"));
  }
  const credential = credentialOf(request.identity);
  const confirmWithinSeconds = secondsIn(body);
  const warnings: string[] = [];
  const makeId = () => randomBytes(4).toString("hex");
  const result = await applyTogether(
    { ...source, makeId },
    {
      ...{ documents, operator: operatorOf(request), source: request.ip },
      ...(reason === undefined ? {} : { reason }),
      ...(credential === undefined ? {} : { credential }),
      ...(confirmWithinSeconds === undefined ? {} : { confirmWithinSeconds }),
      ...(body["dryRun"] === true ? { dryRun: true } : {}),
      onWarning: (message) => void warnings.push(message),
    },
  );
  reply.header("cache-control", "no-store");
  return { ...result, warnings };
}

async function confirm(
  request: FastifyRequest<{ Params: { id: string } }>,
  source: ConfirmationRoutesSource,
) {
  const { id } = request.params;
  const { objects } = await findConfirmation(source.store, id);
  for (const object of objects) await permitObject(request, accessTo(object, "update"));
  return shown(await keepChange(source, id, operatorOf(request)));
}

/** Without what only the store cares for. */
function shown({ changeRevision: _, modRevision: __, epoch: ___, ...confirmation }: KeptConfirmation) {
  return confirmation;
}

function accessTo({ kind, namespace, name }: ConfirmedObject, verb: "get" | "update") {
  const definition = findDefinition(kind);
  const resource = definition ? resourceOf(definition) : kind;
  return {
    ...{ kind: "object" as const, verb, resource, name },
    ...(namespace === undefined ? {} : { namespace }),
  };
}

/** @throws ParasausError `BadRequest` */
function readDocuments(objects: unknown, namespace: string | undefined): readonly AppliedDocument[] {
  if (!Array.isArray(objects))
    throw new ParasausError("BadRequest", 'Cannot apply: "objects" is no list of objects');
  return objects.map((document: unknown) => readDocument(document, "apply", namespace));
}

/** @throws ParasausError `BadRequest` */
function secondsIn(body: Readonly<Record<string, unknown>>): number | undefined {
  const value = body["confirmWithinSeconds"];
  if (value === undefined || typeof value === "number") return value;
  throw new ParasausError("BadRequest", 'Cannot apply: "confirmWithinSeconds" is no number');
}
