import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import {
  credentialOf,
  type LastOperations,
  mayDo,
  maySeeOperation,
  operatorOf,
  permitObject,
} from "../../api/index.ts";
import { ParasausError } from "../../foundation/index.ts";
import {
  findDefinition,
  type Operation,
  operationDefinition,
  type Pool,
  resourceOf,
} from "../../model/index.ts";
import type { ObjectReference } from "../../resources/index.ts";
import { optionalTextIn, readBody, textIn } from "../read-body.ts";
import { historyOf, planRollback, type RollbackSource, rollBack } from "../rollback/roll-back.ts";
import { readSearch, searchOperations } from "./search-operations.ts";

/** What the routes about operations need. */
export interface OperationRoutesSource extends RollbackSource {
  readonly last: LastOperations;
}

/**
 * `GET /api/operations` (search), `GET /api/history` (of one object), `GET /api/last-operations` (of pools and their members)
 * and `POST /api/rollback`.
 */
export function operationRoutes(source: OperationRoutesSource): (app: FastifyInstance) => void {
  const { resources, pools, last } = source;
  return (app) => {
    app.get("/api/operations", async (request) => {
      const search = readSearch(request.query as Readonly<Record<string, unknown>>);
      const { items } = await resources.list(operationDefinition);
      return searchOperations(items as readonly Operation[], search, ({ spec }) =>
        maySeeOperation(request, {
          ...spec,
          objects: [spec, ...(spec.also ?? [])].map(({ object }) => object),
        }),
      );
    });
    app.get("/api/history", async (request) => {
      const query = request.query as Readonly<Record<string, unknown>>;
      const reference = referenceIn(query);
      await permitObject(request, { kind: "object", verb: "get", ...accessTo(reference) });
      const member = optionalTextIn(query, "member");
      const items = await historyOf(source, reference);
      return { items: member === undefined ? items : items.filter((each) => touches(each, member)) };
    });
    app.get("/api/last-operations", (request) => {
      const { namespace } = request.query as { readonly namespace?: string };
      const visible = [...pools.values()].filter(
        ({ metadata }) =>
          (namespace === undefined || metadata.namespace === namespace) &&
          mayDo(request, {
            kind: "object",
            verb: "list",
            resource: POOLS,
            namespace: metadata.namespace ?? "",
          }),
      );
      return { items: visible.map((pool) => lastOf(pool, last)) };
    });
    app.post("/api/rollback", async (request, reply) => rollBackObject(request, reply, source));
  };
}

const POOLS = "pools.parasaus.io";

async function rollBackObject(request: FastifyRequest, reply: FastifyReply, source: OperationRoutesSource) {
  const body = readBody(request);
  const reference = referenceIn(body);
  if (!reference.definition.writable || reference.definition.kind === "ApiToken") {
    const message = `Cannot roll back: a ${reference.definition.kind} cannot be brought back`;
    throw new ParasausError("MethodNotAllowed", message);
  }
  await permitObject(request, { kind: "object", verb: "update", ...accessTo(reference) });
  const [revision, member] = [optionalTextIn(body, "revision"), optionalTextIn(body, "member")];
  const reason = optionalTextIn(body, "reason");
  const warnings: string[] = [];
  const asked = {
    reference,
    ...(revision === undefined ? {} : { revision }),
    ...(member === undefined ? {} : { member }),
  };
  const plan = await planRollback(source, asked, (message) => void warnings.push(message));
  for (const write of plan.writes) {
    await permitObject(request, { kind: "object", verb: "update", ...accessTo(write.reference) });
  }
  const credential = credentialOf(request.identity);
  const objects = await rollBack(source, plan, {
    ...{ operator: operatorOf(request), source: request.ip },
    reason: reason ?? `rolled back to revision ${plan.revision}`,
    ...(credential === undefined ? {} : { credential }),
    ...(body["dryRun"] === true ? { dryRun: true } : {}),
  });
  reply.header("cache-control", "no-store");
  return { revision: plan.revision, objects, warnings: [...new Set(warnings)] };
}

function referenceIn(fields: Readonly<Record<string, unknown>>): ObjectReference {
  const [kind, name] = [textIn(fields, "kind"), textIn(fields, "name")];
  const definition = findDefinition(kind);
  if (!definition) throw new ParasausError("NotFound", `Cannot find the kind "${kind}"`);
  if (!definition.namespaced) return { definition, name };
  return { definition, name, namespace: optionalTextIn(fields, "namespace") ?? "default" };
}

function accessTo({ definition, namespace, name }: ObjectReference) {
  return { resource: resourceOf(definition), name, ...(namespace === undefined ? {} : { namespace }) };
}

function touches({ spec }: Operation, member: string): boolean {
  return (
    spec.member === member ||
    JSON.stringify([spec.before, spec.after, spec.also]).includes(JSON.stringify(member.replace(/:\d+$/, "")))
  );
}

function lastOf(pool: Pool, last: LastOperations): object {
  const { namespace, name, uid } = pool.metadata;
  const members = pool.spec.members.flatMap(({ ip, port }) => {
    const found = last.lastOfMember(pool, `${ip}:${port}`);
    return found ? [[`${ip}:${port}`, found]] : [];
  });
  return { namespace, name, uid, ...last.lastOf(pool), members: Object.fromEntries(members) };
}
