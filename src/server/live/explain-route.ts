import type { FastifyInstance } from "fastify";
import type { NodeRequests } from "../../api/index.ts";
import { ParasausError } from "../../foundation/index.ts";
import { type FlowTuple, type Pool, PROTOCOLS } from "../../model/index.ts";

/** Where a flow is looked for. */
export interface ExplainSource {
  readonly nodes: NodeRequests;
  readonly pools: ReadonlyMap<string, Pool>;
  /** Every node there is, connected here or not. */
  readonly nodeNames: () => Promise<readonly string[]>;
}

/** `POST /internal/v1/explain`: asks every node's kernel for a flow and names the pool. */
export function explainRoute({ nodes, pools, nodeNames }: ExplainSource): (app: FastifyInstance) => void {
  return (app) => {
    app.post<{ Body: Buffer }>("/internal/v1/explain", async (request) => {
      const flow = readFlow(request.body);
      const { answers, silentNodes } = await nodes.askAll<"explain">(
        { kind: "explain", flow },
        await nodeNames(),
      );
      const found = answers.flatMap(({ node, value }) =>
        value === null ? [] : [{ node, ...value, ...named(value.poolUid) }],
      );
      return { answers: found, silentNodes };
    });
  };

  function named(uid: string): { readonly pool?: { readonly namespace: string; readonly name: string } } {
    const metadata = pools.get(uid)?.metadata;
    return metadata ? { pool: { namespace: metadata.namespace ?? "", name: metadata.name } } : {};
  }
}

function readFlow(body: Buffer): FlowTuple {
  const refuse = (cause?: unknown) =>
    new ParasausError("BadRequest", "Cannot explain: expected protocol, clientIp, clientPort, ip and port", {
      cause,
    });
  let flow: Partial<FlowTuple> | null;
  try {
    flow = JSON.parse(body.toString("utf8")) as Partial<FlowTuple> | null;
  } catch (cause) {
    throw refuse(cause);
  }
  const { protocol, clientIp, clientPort, ip, port } = flow ?? {};
  const isWhole =
    typeof clientIp === "string" && typeof ip === "string" && isPort(clientPort) && isPort(port);
  const known = PROTOCOLS.find((each) => each === protocol);
  if (!isWhole || known === undefined) throw refuse();
  return { protocol: known, clientIp, clientPort, ip, port };
}

function isPort(value: unknown): value is number {
  return Number.isInteger(value) && Number(value) > 0 && Number(value) <= 65_535;
}
