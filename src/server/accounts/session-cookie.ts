import type { FastifyReply } from "fastify";
import { SESSION_COOKIE } from "../../api/index.ts";

/** Gives a browser a session's cookie. */
export function setSessionCookie(reply: FastifyReply, secret: string, lifetimeMs: number): void {
  const attributes = `Path=/; Max-Age=${Math.round(lifetimeMs / 1_000)}; Secure; HttpOnly; SameSite=Strict`;
  reply.header("set-cookie", `${SESSION_COOKIE}=${secret}; ${attributes}`);
}
