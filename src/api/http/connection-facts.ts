import type { Socket } from "node:net";
import { TLSSocket } from "node:tls";
import { readCertificate } from "../../pki/index.ts";
import { type ClientCertificate, type ConnectionFacts, isLoopbackAddress } from "../access/identity.ts";

/** Reads what each connection shows of its client, once: its addresses are gone when it closes. */
export function readConnection(): (socket: Socket) => ConnectionFacts {
  const known = new WeakMap<Socket, ConnectionFacts>();
  return (socket) => {
    const facts = known.get(socket) ?? factsOf(socket);
    known.set(socket, facts);
    return facts;
  };
}

function factsOf(socket: Socket): ConnectionFacts {
  const isLoopback = isLoopbackAddress(socket.localAddress) && isLoopbackAddress(socket.remoteAddress);
  const certificate = socket instanceof TLSSocket ? certificateOf(socket) : undefined;
  return { isLoopback, ...(certificate ? { certificate } : {}) };
}

function certificateOf(socket: TLSSocket): ClientCertificate | undefined {
  const shown = socket.getPeerX509Certificate();
  if (!shown) return undefined;
  const { nodeName, enrolment, validTo } = readCertificate(shown);
  // Node types it as an Error; it is OpenSSL's word, e.g. CERT_HAS_EXPIRED.
  const problem = socket.authorized ? undefined : String(socket.authorizationError);
  return { nodeName, enrolment, validTo, ...(problem === undefined ? {} : { problem }) };
}
