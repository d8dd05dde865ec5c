import type { FastifyInstance, FastifyRequest } from "fastify";
import { type Logger, ParasausError } from "../../foundation/index.ts";
import { nameComplaint } from "../../model/index.ts";
import { publicKeyHash, readCertificate } from "../../pki/index.ts";
import { enrolNode, type NodeIssuer, renewNode } from "./enrol-node.ts";
import { createEnrolmentToken } from "./enrolment-tokens.ts";
import { revokeNode } from "./revoke-node.ts";

/** What nodes are let in with. */
export interface EnrolmentSource {
  /** Absent: the server speaks no TLS, so that no node can enrol with it. */
  readonly issuer?: NodeIssuer;
  /** Authority that servers' certificates come from, PEM; undefined: agents are told it by other means. */
  readonly serverAuthority: () => string | undefined;
  /** Where agents of other machines reach it. */
  readonly serverUrl: () => string | undefined;
  readonly logger: Logger;
}

const BODY_LIMIT_BYTES = 16 * 1024;
const DAY_S = 86_400;
const LONGEST_TOKEN_S = 30 * DAY_S;

/**
 * `GET /internal/v1/authority` (anybody), `POST /internal/v1/tokens` and `POST /internal/v1/nodes/NAME/revocation` (operators),
 * `POST /internal/v1/enrolments` (whoever has a token) and `POST /internal/v1/nodes/NAME/certificates` (that node).
 */
export function enrolmentRoutes(source: EnrolmentSource): (app: FastifyInstance) => void {
  return (app) => {
    const options = { bodyLimit: BODY_LIMIT_BYTES };
    app.get("/internal/v1/authority", () => {
      const certificate = source.serverAuthority();
      if (certificate !== undefined) return { certificate };
      throw new ParasausError(
        "NotFound",
        "Cannot show an authority: this server has none of its own to show",
      );
    });
    app.post("/internal/v1/tokens", options, (request) => makeToken(source, request));
    app.post("/internal/v1/enrolments", options, (request) => enrol(source, request));
    app.post<{ Params: { node: string } }>("/internal/v1/nodes/:node/revocation", options, (request) =>
      revoke(source, request.params.node),
    );
    app.post<{ Params: { node: string } }>("/internal/v1/nodes/:node/certificates", options, (request) =>
      renew(source, request),
    );
  };
}

async function makeToken(source: EnrolmentSource, request: FastifyRequest) {
  const { store, now } = issuerOf(source, "make a token");
  const { nodeName, lifetimeSeconds } = readBody(request, "make a token");
  const name = nodeNameOf(nodeName, "make a token");
  if (
    !Number.isInteger(lifetimeSeconds) ||
    Number(lifetimeSeconds) < 1 ||
    Number(lifetimeSeconds) > LONGEST_TOKEN_S
  ) {
    throw new ParasausError(
      "Invalid",
      `Cannot make a token: its life is ${lifetimeSeconds} s, expected 1 to ${LONGEST_TOKEN_S}`,
    );
  }
  const options = { nodeName: name, lifetimeMs: Number(lifetimeSeconds) * 1_000, now: now() };
  const { secret, expires } = await createEnrolmentToken(store, options);
  const [authority, server] = [source.serverAuthority(), source.serverUrl()];
  source.logger.info("enrolment token made", { node: name, expires: expires.toISOString() });
  return {
    secret,
    ...(authority === undefined ? {} : { authorityHash: publicKeyHash(authority) }),
    ...(server === undefined ? {} : { server }),
    expires: expires.toISOString(),
  };
}

async function enrol(source: EnrolmentSource, request: FastifyRequest) {
  const issuer = issuerOf(source, "enrol a node");
  const body = readBody(request, "enrol a node");
  const nodeName = nodeNameOf(body["nodeName"], "enrol a node");
  const asked = { nodeName, token: text(body["token"], "token"), request: text(body["request"], "request") };
  try {
    const certificate = await enrolNode(issuer, asked);
    source.logger.info("node enrolled", { node: nodeName, ...factsOf(certificate) });
    return { certificate };
  } catch (error) {
    source.logger.warn("node not enrolled", { node: nodeName, from: request.ip, error });
    throw error;
  }
}

async function renew(source: EnrolmentSource, request: FastifyRequest<{ Params: { node: string } }>) {
  const issuer = issuerOf(source, "renew a certificate");
  const { node: nodeName } = request.params;
  const { identity } = request;
  if (identity.kind !== "node") {
    const message = `Cannot renew the certificate of the node "${nodeName}": only the node itself may`;
    throw new ParasausError("Forbidden", message);
  }
  const asked = text(readBody(request, "renew a certificate")["request"], "request");
  const certificate = await renewNode(issuer, { nodeName, enrolment: identity.enrolment, request: asked });
  source.logger.info("node certificate renewed", { node: nodeName, ...factsOf(certificate) });
  return { certificate };
}

async function revoke(source: EnrolmentSource, nodeName: string) {
  const { store, now } = issuerOf(source, "revoke an enrolment");
  await revokeNode(store, nodeName, now());
  source.logger.info("enrolment revoked", { node: nodeName });
  return {};
}

function issuerOf({ issuer }: EnrolmentSource, action: string): NodeIssuer {
  if (issuer) return issuer;
  throw new ParasausError(
    "BadRequest",
    `Cannot ${action}: this server speaks no TLS, over which nodes enrol; start it with --listen off loopback, or --tls-cert`,
  );
}

function factsOf(certificate: string): { readonly enrolment: string; readonly validTo: string } {
  const { enrolment = "", validTo } = readCertificate(certificate);
  return { enrolment, validTo: validTo.toISOString() };
}

function readBody({ body }: FastifyRequest, action: string): Readonly<Record<string, unknown>> {
  try {
    const value: unknown = JSON.parse((body as Buffer | undefined)?.toString("utf8") ?? "");
    if (typeof value === "object" && value !== null) return value as Readonly<Record<string, unknown>>;
  } catch {
    // No cause: a parser's message quotes what it read, which may be a token.
  }
  throw new ParasausError("BadRequest", `Cannot ${action}: the body is no JSON object`);
}

/** Checked before it is logged or becomes a part of a key. */
function nodeNameOf(value: unknown, action: string): string {
  const name = text(value, "nodeName");
  const complaint = nameComplaint(name, "subdomain");
  if (complaint === undefined) return name;
  throw new ParasausError(
    "Invalid",
    `Cannot ${action}: found the name ${JSON.stringify(name)}, which ${complaint}`,
  );
}

function text(value: unknown, name: string): string {
  if (typeof value === "string" && value !== "") return value;
  throw new ParasausError("BadRequest", `Cannot read the request: "${name}" is missing`);
}
