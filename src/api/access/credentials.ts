import type { IncomingHttpHeaders } from "node:http";

/** Cookie that holds a browser's session: with this prefix browsers take it from this very host alone, over TLS or on loopback. */
export const SESSION_COOKIE = "__Host-parasaus";

/** What a request shows of who asks, besides a certificate. */
export interface Credentials {
  /** Of `Authorization: Bearer`. */
  readonly bearer?: string;
  /** Of the session's cookie. */
  readonly cookie?: string;
  /** Which node asks, with the agents' token. */
  readonly nodeName?: string;
}

/** Reads what a request shows; undefined: nothing. A token counts before a cookie. */
export function credentialsIn(headers: IncomingHttpHeaders): Credentials | undefined {
  const [, bearer] = /^Bearer +(\S+)$/i.exec(headers.authorization ?? "") ?? [];
  if (bearer !== undefined) {
    const nodeName = [headers["x-parasaus-node"]].flat()[0];
    return { bearer, ...(nodeName === undefined ? {} : { nodeName }) };
  }
  const cookie = (headers.cookie ?? "")
    .split(";")
    .map((pair) => pair.trim())
    .find((pair) => pair.startsWith(`${SESSION_COOKIE}=`))
    ?.slice(SESSION_COOKIE.length + 1);
  return cookie === undefined || cookie === "" ? undefined : { cookie };
}
