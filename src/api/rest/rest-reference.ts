import type { FastifyInstance } from "fastify";
import { openApi31 } from "./open-api.ts";
import { PAGE_POLICY, referencePage } from "./reference-page.ts";

/**
 * `GET /api/openapi.json` and `GET /api/docs`: every route under /api that is not Kubernetes', as the router has them.
 *
 * @returns routes for {@link createHttpServer}, to be added before those that they tell of
 */
export function createRestReference(version: string): (app: FastifyInstance) => void {
  return (app) => {
    const routes: string[] = [];
    app.addHook("onRoute", ({ method, url }) => {
      for (const each of [method].flat()) routes.push(`${each} ${url}`);
    });
    let document: string | undefined;
    app.get("/api/openapi.json", (_request, reply) => {
      document ??= JSON.stringify(openApi31(routes, version));
      return reply.type("application/json").header("cache-control", "no-cache").send(document);
    });
    let page: string | undefined;
    app.get("/api/docs", (_request, reply) => {
      page ??= referencePage(routes, version);
      return reply
        .type("text/html; charset=utf-8")
        .header("content-security-policy", PAGE_POLICY)
        .header("x-content-type-options", "nosniff")
        .header("cache-control", "no-cache")
        .send(page);
    });
  };
}
