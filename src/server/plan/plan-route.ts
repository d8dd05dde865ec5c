import type { FastifyInstance, FastifyRequest } from "fastify";
import { type NodeRequests, operatorOf, permitObject } from "../../api/index.ts";
import { ParasausError } from "../../foundation/index.ts";
import { type Plan, type PlannedObject, resourceOf } from "../../model/index.ts";
import type { ObjectReference } from "../../resources/index.ts";
import { optionalTextIn, readObjectsBody } from "../read-body.ts";
import { askLiveFlows } from "./live-flows.ts";
import { type ChangedPool, type PlanRequest, type PlanSource, planChanges } from "./plan-changes.ts";
import { plannedTraffic, sumOf } from "./pool-traffic.ts";

/** What the route needs. */
export interface PlanRouteSource extends Omit<PlanSource, "permit"> {
  readonly nodes: NodeRequests;
  readonly nodeNames: () => Promise<readonly string[]>;
}

/** `POST /api/plan`: what would come of writing some objects, and of the traffic that there is now. */
export function planRoute(source: PlanRouteSource): (app: FastifyInstance) => void {
  return (app) => {
    app.post("/api/plan", async (request, reply) => {
      const asked = readRequest(request);
      const permit = (reference: ObjectReference) => permitWrite(request, reference);
      reply.header("cache-control", "no-store");
      return withTraffic(source, await planChanges({ ...source, permit }, asked));
    });
  };
}

async function withTraffic(
  { nodes, nodeNames }: PlanRouteSource,
  { objects, pools }: Awaited<ReturnType<typeof planChanges>>,
): Promise<Plan> {
  const changed = pools.filter(({ objectIndex }) => isMoving(objects[objectIndex]));
  const uids = changed.flatMap(({ before }) => before?.metadata.uid ?? []);
  const { of, unknownNodes } = await askLiveFlows(nodes, nodeNames, uids);
  const traffic = new Map(
    changed.map((pool) => [pool.objectIndex, trafficOf(pool, of, pool.before ? unknownNodes : [])]),
  );
  return {
    objects: objects.map((object, index) => {
      const found = traffic.get(index);
      return found ? { ...object, traffic: found } : object;
    }),
    ...sumOf([...traffic.values()]),
    unknownNodes,
  };
}

function trafficOf(
  { before, after }: ChangedPool,
  of: (poolUid: string) => ReadonlyMap<string, number>,
  unknownNodes: readonly string[],
) {
  return plannedTraffic({ before, after, flows: of(before?.metadata.uid ?? ""), unknownNodes });
}

function isMoving(object: PlannedObject | undefined): boolean {
  return object !== undefined && object.outcome !== "unchanged" && object.outcome !== "refused";
}

function permitWrite(request: FastifyRequest, { definition, namespace, name }: ObjectReference) {
  const place = namespace === undefined ? {} : { namespace };
  return permitObject(request, {
    ...{ kind: "object", verb: "update", resource: resourceOf(definition), name },
    ...place,
  });
}

const MODES = ["apply", "replace"] as const;

/** @throws ParasausError `BadRequest` */
function readRequest(request: FastifyRequest): PlanRequest {
  const body = readObjectsBody(request);
  const { objects } = body;
  const mode = MODES.find((each) => each === (body["mode"] ?? "apply"));
  if (!Array.isArray(objects) || objects.length === 0)
    throw new ParasausError("BadRequest", 'Cannot plan: "objects" is no list of objects');
  if (!mode)
    throw new ParasausError(
      "BadRequest",
      `Cannot plan: mode is "${body["mode"]}", expected apply or replace`,
    );
  const namespace = optionalTextIn(body, "namespace");
  return {
    ...{ documents: objects, mode, operator: operatorOf(request) },
    ...(namespace === undefined ? {} : { namespace }),
  };
}
