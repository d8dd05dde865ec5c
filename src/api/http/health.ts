import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";

/** One named condition of a healthy process. */
export interface HealthCheckEntry {
  readonly name: string;
  /** Resolves to undefined when all is well, else to the reason; a rejection counts as unhealthy. */
  readonly check: () => Promise<string | undefined> | string | undefined;
}

/** What `/livez` and `/readyz` ask. */
export interface HealthChecks {
  /** Failing ones mean that a restart would help. */
  readonly live: readonly HealthCheckEntry[];
  /** Failing ones mean that requests should go elsewhere for now. */
  readonly ready: readonly HealthCheckEntry[];
}

/** Serves `/livez`, `/readyz`, `/healthz` (as `/livez`, the older name) with `?verbose` and `?exclude=`. */
export function addHealthRoutes(app: FastifyInstance, checks: HealthChecks): void {
  const serve =
    (entries: readonly HealthCheckEntry[], probe: string) =>
    async (request: FastifyRequest, reply: FastifyReply): Promise<string> => {
      const query = request.query as Readonly<Record<string, string | string[]>>;
      const excluded = [query["exclude"] ?? []].flat();
      const results = await Promise.all(
        entries.map(async (entry) => ({
          name: entry.name,
          problem: excluded.includes(entry.name) ? "excluded" : await ask(entry),
          excluded: excluded.includes(entry.name),
        })),
      );
      const failed = results.some((result) => result.problem !== undefined && !result.excluded);
      reply.code(failed ? 503 : 200).type("text/plain; charset=utf-8");
      if (!failed && query["verbose"] === undefined) return "ok";
      return `${results.map(lineOf).join("")}${probe} check ${failed ? "failed" : "passed"}\n`;
    };
  const probes = { livez: checks.live, healthz: checks.live, readyz: checks.ready };
  for (const [probe, entries] of Object.entries(probes)) {
    // Some load balancers probe with HEAD.
    app.route({ method: ["GET", "HEAD"], url: `/${probe}`, handler: serve(entries, probe) });
  }
}

async function ask(entry: HealthCheckEntry): Promise<string | undefined> {
  try {
    return await entry.check();
  } catch (failure) {
    return failure instanceof Error ? failure.message : String(failure);
  }
}

function lineOf(result: { name: string; problem: string | undefined; excluded: boolean }): string {
  if (result.excluded) return `[+]${result.name} excluded: ok\n`;
  return result.problem === undefined
    ? `[+]${result.name} ok\n`
    : `[-]${result.name} failed: ${result.problem}\n`;
}
