import type { Socket } from "node:net";
import { TLSSocket } from "node:tls";
import { readCertificate } from "../../pki/index.ts";
import { type ClientCertificate, type ConnectionFacts, isLoopbackAddress } from "../access/identity.ts";

/** A timer cannot be set for longer, milliseconds; what ends later is ended by a watch's own end. */
const LONGEST_TIMER_MS = 2 ** 31 - 1;

/** What is known of the open connections. */
export interface Connections {
  /** What a connection shows of its client; read once, because its addresses are gone when it closes. */
  factsOf(socket: Socket): ConnectionFacts;
  /** Ends those that were opened with a certificate for which `counts` is false, whatever runs on them. */
  endUnless(counts: (certificate: ClientCertificate) => boolean): void;
}

/** Begins to know connections. One ends with the certificate that it was opened with, and the watches on it. */
export function knowConnections(now: () => Date): Connections {
  const known = new WeakMap<Socket, ConnectionFacts>();
  const certified = new Map<Socket, ClientCertificate>();
  return {
    factsOf(socket) {
      const found = known.get(socket);
      if (found) return found;
      const facts = readFacts(socket);
      known.set(socket, facts);
      const { certificate } = facts;
      if (!certificate || socket.destroyed) return facts;
      certified.set(socket, certificate);
      socket.once("close", () => certified.delete(socket));
      endAt(socket, certificate.validTo.getTime() - now().getTime());
      return facts;
    },
    endUnless(counts) {
      for (const [socket, certificate] of certified) if (!counts(certificate)) socket.destroy();
    },
  };
}

/** Who comes with one that has ended already is told so. */
function endAt(socket: Socket, leftMs: number): void {
  if (leftMs <= 0 || leftMs > LONGEST_TIMER_MS) return;
  const timer = setTimeout(() => socket.destroy(), leftMs);
  timer.unref();
  socket.once("close", () => clearTimeout(timer));
}

/** Whether both ends are this machine, by addresses that only it has. */
export function isLoopback({ localAddress, remoteAddress }: Socket): boolean {
  return isLoopbackAddress(localAddress) && isLoopbackAddress(remoteAddress);
}

function readFacts(socket: Socket): ConnectionFacts {
  const certificate = socket instanceof TLSSocket ? certificateOf(socket) : undefined;
  return { isLoopback: isLoopback(socket), ...(certificate ? { certificate } : {}) };
}

function certificateOf(socket: TLSSocket): ClientCertificate | undefined {
  const shown = socket.getPeerX509Certificate();
  if (!shown) return undefined;
  const { nodeName, enrolment, validTo } = readCertificate(shown);
  // Node types it as an Error; it is OpenSSL's word, e.g. CERT_HAS_EXPIRED.
  const problem = socket.authorized ? undefined : String(socket.authorizationError);
  return { nodeName, enrolment, validTo, ...(problem === undefined ? {} : { problem }) };
}
