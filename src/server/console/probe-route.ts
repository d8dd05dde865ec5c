import type { FastifyInstance } from "fastify";
import type { NodeRequests, PoolCatalogue } from "../../api/index.ts";
import type { Controllers } from "../../controllers/index.ts";
import { type Clock, formatHostPort, ParasausError } from "../../foundation/index.ts";
import type { ProbeAnswer } from "../../model/index.ts";
import { readBody, textIn } from "../read-body.ts";

/** Longer than any check may take, milliseconds. */
const LONGEST_WAIT_MS = 65_000;

/** What probing out of turn needs. */
export interface ProbeRouteSource {
  readonly catalogue: PoolCatalogue;
  readonly nodes: Pick<NodeRequests, "askAll">;
  /** Absent while the controllers are started anew. */
  readonly controllers: () => Controllers | undefined;
  readonly clock: Clock;
}

/**
 * `POST /api/console/pools/NAMESPACE/NAME/probe` of `{member}`: the pool's health check at once, and whether each node reaches
 * the member over TCP. The result counts like that of any other probe.
 */
export function probeRoute(source: ProbeRouteSource): (app: FastifyInstance) => void {
  return (app) => {
    app.post<{ Params: { readonly namespace: string; readonly name: string } }>(
      "/api/console/pools/:namespace/:name/probe",
      async (request, reply) => {
        const { namespace, name } = request.params;
        reply.header("cache-control", "no-store");
        return await probe(source, namespace, name, textIn(readBody(request), "member"));
      },
    );
  };
}

async function probe(
  { catalogue, nodes, controllers, clock }: ProbeRouteSource,
  namespace: string,
  name: string,
  wanted: string,
): Promise<ProbeAnswer> {
  const pool = catalogue.get(namespace, name);
  if (!pool) throw new ParasausError("NotFound", `pools.parasaus.io "${name}" not found`);
  // Members alone: nobody makes a node connect to anything else.
  const member = pool.spec.members.find(({ ip, port }) => formatHostPort(ip, port) === wanted);
  if (!member) throw new ParasausError("NotFound", `Cannot probe "${wanted}": the pool has no such member`);
  const { ip, port } = member;
  const probing = controllers()?.probeNow(`${namespace}/${name}`, `${ip}:${port}`);
  const tooLong = new AbortController();
  const [check, { answers, silentNodes }] = await Promise.all([
    probing && Promise.race([probing, clock.sleep(LONGEST_WAIT_MS, tooLong.signal).catch(() => undefined)]),
    nodes.askAll<"probe">({ kind: "probe", ip, port }),
  ]);
  tooLong.abort();
  return {
    ...(check ? { check: { code: check.code, snippet: check.snippet, durationMs: check.durationMs } } : {}),
    nodes: answers.map(({ node, value }) => ({ node, ...value })),
    silentNodes,
  };
}
