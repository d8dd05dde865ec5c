import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import { hasCode, type Logger, ParasausError } from "../../../foundation/index.ts";
import type { AccountService } from "../account-service.ts";
import { setSessionCookie } from "../session-cookie.ts";
import { memoryCookie, memoryIn } from "./login-memory.ts";
import type { OidcProvider } from "./provider.ts";

const CALLBACK = "/api/oidc/callback";
const CONSOLE = "/console/";

/** What the routes need. */
export interface OidcRoutesSource {
  readonly accounts: AccountService;
  /** Absent: there is no login by OIDC. */
  readonly provider: OidcProvider | undefined;
  readonly logger: Logger;
}

/**
 * `GET /api/oidc/login` sends a browser to the provider, `GET /api/oidc/callback` begins its session when it comes back.
 * People look at what these answer: a login that fails leads to the login page, which says so.
 */
export function oidcRoutes({ accounts, provider, logger }: OidcRoutesSource): (app: FastifyInstance) => void {
  return (app) => {
    const options = {
      onSend: async (_request: FastifyRequest, reply: FastifyReply) =>
        void reply.header("cache-control", "no-store"),
    };
    app.get("/api/oidc/login", options, (request, reply) =>
      leadBack(reply, async () => {
        const { url, memory } = await configured().begin(callbackOf(request));
        return reply.header("set-cookie", memoryCookie(memory)).redirect(url, 303);
      }),
    );
    app.get(CALLBACK, options, (request, reply) =>
      leadBack(reply, async () => {
        const oidc = configured();
        reply.header("set-cookie", memoryCookie(undefined));
        const memory = memoryIn(request.headers.cookie);
        if (!memory) {
          const message = "Cannot log in by OIDC: this browser began no login, or more than 10 min ago";
          throw new ParasausError("Unauthorized", message);
        }
        const answerUrl = new URL(request.raw.url ?? "", callbackOf(request)).href;
        const prove = () => oidc.finish(answerUrl, memory);
        const { session } = await accounts.loginByOidc(prove, request.ip);
        setSessionCookie(reply, session.secret, Date.parse(session.expires) - Date.now());
        return reply.redirect(CONSOLE, 303);
      }),
    );
  };

  function configured(): OidcProvider {
    if (provider) return provider;
    throw new ParasausError("NotFound", "Cannot log in by OIDC: this server has no --oidc-issuer-url");
  }

  async function leadBack(reply: FastifyReply, run: () => Promise<FastifyReply>): Promise<FastifyReply> {
    try {
      return await run();
    } catch (failure) {
      if (!hasCode(failure, "Unauthorized") && !hasCode(failure, "Unavailable")) throw failure;
      logger.warn("nobody logged in by OIDC", { reason: failure.message });
      const problem = failure.code === "Unavailable" ? "unavailable" : "refused";
      return reply.redirect(`${CONSOLE}login?oidc=${problem}`, 303);
    }
  }
}

/** As the browser sees this server; a provider sends nobody to an address that it was not told of. */
function callbackOf({ protocol, headers }: FastifyRequest): string {
  return `${protocol}://${headers.host}${CALLBACK}`;
}
