import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import type { Identity } from "../access/identity.ts";
import { isStillAllowed } from "../access/permit.ts";

/** Requests of accounts that are being answered, a watch for as long as it is open. */
export interface OpenRequests {
  /** Ends those that would be refused if they were asked now, with their connections. */
  endRefused(refresh: (identity: Identity) => Identity): void;
}

/** Begins to know the open requests of accounts. */
export function knowOpenRequests(app: FastifyInstance): OpenRequests {
  const open = new Map<FastifyRequest, FastifyReply>();
  app.addHook("onRequest", async (request, reply) => {
    if (request.identity.kind !== "account") return;
    open.set(request, reply);
    reply.raw.once("close", () => open.delete(request));
  });
  return {
    endRefused(refresh) {
      for (const [request, reply] of open) {
        const identity = refresh(request.identity);
        if (identity === request.identity) continue;
        if (isStillAllowed(request, identity)) request.identity = identity;
        // What was allowed and is not answered yet is done: it may be what ended the session.
        else if (reply.raw.headersSent) request.raw.socket.destroy();
      }
    },
  };
}
