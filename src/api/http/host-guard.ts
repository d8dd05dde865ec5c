import { isIP } from "node:net";
import type { FastifyRequest } from "fastify";
import { ParasausError } from "../../foundation/index.ts";
import { isLoopbackAddress } from "../access/identity.ts";

/**
 * A page on the Internet must not reach the server through the browser of somebody who may: neither by a name that it
 * lets resolve to the server's address (DNS rebinding), nor by a request that needs no leave of the server.
 *
 * @param hostNames Names of the server besides `localhost` and IP addresses.
 * @throws ParasausError `Forbidden`
 */
export function refuseForeignPage(request: FastifyRequest, hostNames: readonly string[]): void {
  const name = hostOf(request.hostname);
  const isOurs = name === "" || name === "localhost" || isIP(name) !== 0 || hostNames.includes(name);
  if (!isOurs) {
    throw new ParasausError(
      "Forbidden",
      `Cannot answer for the host "${name}": it is not a name of this server`,
    );
  }
  const { origin } = request.headers;
  if (origin === undefined || isNearPage(origin, request.headers.host)) return;
  throw new ParasausError("Forbidden", `Cannot answer the page of "${origin}": it is not this server's`);
}

function hostOf(hostname: string): string {
  return hostname.replace(/^\[|\]$/g, "").toLowerCase();
}

/** A page of this server, or one of another program on this machine. */
function isNearPage(origin: string, host: string | undefined): boolean {
  if (!URL.canParse(origin)) return false;
  const page = new URL(origin);
  const name = hostOf(page.hostname);
  return page.host === host?.toLowerCase() || name === "localhost" || isLoopbackAddress(name);
}
