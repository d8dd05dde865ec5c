import { createHash } from "node:crypto";
import type { FastifyInstance, FastifyReply } from "fastify";
import type { ResourceDefinition } from "../../../model/index.ts";
import { byGroup, rootOf } from "../groups.ts";
import { openApi2, openApi3 } from "./documents.ts";
import { encodeOpenApi2 } from "./gnostic.ts";

// kubectl before 1.28 writes the version with @, later ones with a dot.
const PROTOBUF = /application\/com\.github\.proto-openapi\.spec\.v2[@.]v1\.0\+protobuf/;
const ONE_YEAR_SECONDS = 31_536_000;

interface PreparedDocument {
  readonly body: Buffer;
  readonly hash: string;
}

/** Serves `/openapi/v2` (JSON and protobuf) and `/openapi/v3`, an index and one document for each group version. */
export function addOpenApiRoutes(
  app: FastifyInstance,
  definitions: readonly ResourceDefinition[],
  version: string,
): void {
  addVersion2(app, definitions, version);
  const paths: Record<string, { serverRelativeURL: string }> = {};
  for (const [group, members] of byGroup(definitions)) {
    const document = prepare(Buffer.from(JSON.stringify(openApi3(members, version))));
    const url = `/openapi/v3${rootOf(group)}`;
    paths[rootOf(group).slice(1)] = { serverRelativeURL: `${url}?hash=${document.hash}` };
    app.get(url, (request, reply) => {
      const isImmutable = (request.query as Readonly<Record<string, unknown>>)["hash"] === document.hash;
      if (isImmutable) reply.header("cache-control", `public, immutable, max-age=${ONE_YEAR_SECONDS}`);
      return send(reply, document, "application/json");
    });
  }
  app.get("/openapi/v3", () => ({ paths }));
}

function addVersion2(
  app: FastifyInstance,
  definitions: readonly ResourceDefinition[],
  version: string,
): void {
  const document = openApi2(definitions, version);
  const json = prepare(Buffer.from(JSON.stringify(document)));
  const protobuf = prepare(Buffer.from(encodeOpenApi2(document)));
  app.get("/openapi/v2", (request, reply) => {
    const asked = PROTOBUF.exec(request.headers.accept ?? "")?.[0];
    return asked === undefined ? send(reply, json, "application/json") : send(reply, protobuf, asked);
  });
}

function prepare(body: Buffer): PreparedDocument {
  return { body, hash: createHash("sha256").update(body).digest("hex").toUpperCase() };
}

function send(reply: FastifyReply, { body, hash }: PreparedDocument, type: string): FastifyReply {
  return reply.header("etag", `"${hash}"`).header("vary", "Accept").header("content-type", type).send(body);
}
