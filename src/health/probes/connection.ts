import net from "node:net";
import type { ReasonCode } from "../probe.ts";

/** Errors of this machine: the member was not reached because we could not try. */
const LOCAL_ERRORS: ReadonlySet<string> = new Set([
  "EMFILE",
  "ENFILE",
  "ENOBUFS",
  "ENOMEM",
  "EADDRNOTAVAIL",
  "EACCES",
  "EPERM",
  "EAGAIN",
]);

const CONNECT_ERRORS: Readonly<Record<string, string>> = {
  ECONNREFUSED: "connection refused",
  ECONNRESET: "connection reset",
  EHOSTUNREACH: "no route to host",
  ENETUNREACH: "network unreachable",
};

/** Opens the connection of a probe. Closing it with a reset leaves no TIME_WAIT behind, here or at the member. */
export function openConnection(target: { readonly ip: string; readonly port: number }): net.Socket {
  return net.connect({ host: target.ip, port: target.port, noDelay: true });
}

/** What a failure to connect says, as code and words. */
export function connectFailure(failure: NodeJS.ErrnoException): [ReasonCode, string] {
  const errno = failure.code ?? "";
  if (LOCAL_ERRORS.has(errno)) return ["SOCKERR", failure.message];
  if (errno === "ETIMEDOUT") return ["L4TOUT", "connection timed out"];
  return ["L4CON", CONNECT_ERRORS[errno] ?? failure.message];
}
