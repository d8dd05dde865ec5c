import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import { credentialOf, type Identity, mayDo, operatorOf, permitObject } from "../../api/index.ts";
import { ParasausError } from "../../foundation/index.ts";
import { type ApiToken, accountOfToken, apiTokenDefinition } from "../../model/index.ts";
import type { LocalResources } from "../../resources/local/index.ts";
import { optionalTextIn, optionalTextsIn, readBody, textIn } from "../read-body.ts";
import type { AccountService, Asking, MadeSession } from "./account-service.ts";
import { type FirstAdministratorOptions, makeFirstAdministrator } from "./first-administrator.ts";
import { setSessionCookie } from "./session-cookie.ts";

const BODY_LIMIT_BYTES = 16 * 1024;
const TOKENS = "apitokens.parasaus.io";

/** What the routes of accounts need. */
export interface AccountRoutesSource extends FirstAdministratorOptions {
  readonly accounts: AccountService;
  readonly resources: LocalResources;
  /** The server lets everybody of its machine in, so that nobody has to log in. */
  readonly needsNoLogin: boolean;
  /** Accounts may log in by OIDC. */
  readonly hasOidc: boolean;
}

/**
 * `GET` and `POST /api/login`, `POST /api/logout`, `GET /api/whoami`, `POST /api/password`, `POST /api/accounts/NAME/password`,
 * `POST /api/first-administrator`, and `GET` and `POST /api/tokens`. Answers are never kept by anybody on the way.
 */
export function accountRoutes(source: AccountRoutesSource): (app: FastifyInstance) => void {
  const { accounts } = source;
  return (app) => {
    const options = {
      bodyLimit: BODY_LIMIT_BYTES,
      onSend: async (_request: FastifyRequest, reply: FastifyReply) =>
        void reply.header("cache-control", "no-store"),
    };
    app.post("/api/login", options, async (request, reply) => {
      const body = readBody(request);
      const isCookie = optionalTextIn(body, "as") !== "token";
      const name = textIn(body, "name");
      const session = await accounts.login(name, textIn(body, "password"), isCookie, request.ip);
      return answerSession(reply, name, session, isCookie);
    });
    // How one may log in; whoever asks is nobody yet.
    app.get("/api/login", options, () => ({ oidc: source.hasOidc }));
    app.post("/api/logout", options, async (request, reply) => {
      const { identity } = request;
      if (identity.kind === "account") await accounts.logout(identity, request.ip);
      setSessionCookie(reply, "", 0);
      return {};
    });
    app.get("/api/whoami", options, (request) => whoIs(request, source));
    app.post("/api/password", options, async (request, reply) => {
      const { identity } = request;
      if (identity.kind !== "account") {
        throw new ParasausError("BadRequest", "Cannot change the own password: who asks is no account");
      }
      const body = readBody(request);
      const passwords = [textIn(body, "current"), textIn(body, "next")] as const;
      await accounts.changeOwnPassword(identity.name, passwords, askingOf(request));
      setSessionCookie(reply, "", 0);
      return {};
    });
    app.post<{ Params: { name: string } }>("/api/accounts/:name/password", options, async (request) => {
      await accounts.setPassword(
        request.params.name,
        textIn(readBody(request), "password"),
        askingOf(request),
      );
      return {};
    });
    app.post("/api/first-administrator", options, async (request) => {
      const body = readBody(request);
      const [code, name, password] = [textIn(body, "code"), textIn(body, "name"), textIn(body, "password")];
      await makeFirstAdministrator(source, { code, name, password, source: request.ip });
      return { name };
    });
    app.get("/api/tokens", options, async (request) => ({ items: await tokensFor(request, source) }));
    app.post("/api/tokens", options, async (request, reply) => {
      const made = await makeToken(request, source);
      return reply.code(201).send(made);
    });
  };
}

function answerSession(reply: FastifyReply, name: string, session: MadeSession, isCookie: boolean): object {
  const { secret, csrfToken, expires } = session;
  if (!isCookie) return { name, token: secret, expires };
  setSessionCookie(reply, secret, Date.parse(expires) - Date.now());
  return { name, csrfToken, expires };
}

/** Who asks and what he may, for a console that hides what he may not. */
function whoIs({ identity }: FastifyRequest, { needsNoLogin }: AccountRoutesSource): object {
  const facts = { kind: identity.kind, needsNoLogin };
  if (identity.kind !== "account") return { ...facts, role: "admin", namespaces: {} };
  const { name, grants, credential } = identity;
  return {
    ...facts,
    name,
    role: grants.everywhere ?? null,
    namespaces: Object.fromEntries(grants.namespaces),
    ...(credential.kind === "token" ? { token: credential.name } : {}),
    ...(credential.kind === "session" && credential.csrfToken !== undefined
      ? { csrfToken: credential.csrfToken }
      : {}),
  };
}

async function tokensFor(
  request: FastifyRequest,
  { resources }: AccountRoutesSource,
): Promise<readonly ApiToken[]> {
  const { items } = await resources.list(apiTokenDefinition);
  return (items as readonly ApiToken[]).filter(({ metadata: { name } }) =>
    mayDo(request, { kind: "object", verb: "get", resource: TOKENS, name }),
  );
}

async function makeToken(request: FastifyRequest, { accounts }: AccountRoutesSource): Promise<object> {
  const body = readBody(request);
  const account = optionalTextIn(body, "account") ?? ownNameOf(request.identity);
  if (account !== ownNameOf(request.identity)) {
    await permitObject(request, { kind: "object", verb: "create", resource: TOKENS, name: `${account}.` });
  }
  const lifetimeMs = Number(body["lifetimeSeconds"]) * 1_000;
  const role = optionalTextIn(body, "role");
  const namespaces = optionalTextsIn(body, "namespaces");
  const description = optionalTextIn(body, "description");
  const name = textIn(body, "name");
  const { token, object } = await accounts.makeToken(
    {
      ...{ account, name, lifetimeMs },
      ...(role === undefined ? {} : { role }),
      ...(namespaces === undefined ? {} : { namespaces }),
      ...(description === undefined ? {} : { description }),
    },
    askingOf(request),
  );
  const { metadata, spec } = object;
  return { token, name: metadata.name, account: accountOfToken(metadata.name), expires: spec.expires };
}

function ownNameOf(identity: Identity): string {
  return identity.kind === "account" ? identity.name : "";
}

function askingOf(request: FastifyRequest): Asking {
  const { identity, ip } = request;
  const credential = credentialOf(identity);
  return {
    operator: operatorOf(request),
    source: ip,
    ...(credential === undefined ? {} : { credential }),
  };
}
