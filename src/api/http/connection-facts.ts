import type { Socket } from "node:net";
import { TLSSocket } from "node:tls";
import { readCertificate } from "../../pki/index.ts";
import { type ClientCertificate, type ConnectionFacts, isLoopbackAddress } from "../access/identity.ts";

/** A timer cannot be set for longer, milliseconds; what ends later is ended by a watch's own end. */
const LONGEST_TIMER_MS = 2 ** 31 - 1;

/**
 * Reads what each connection shows of its client, once: its addresses are gone when it closes. A connection ends with the
 * certificate that it was opened with, and the watches on it.
 */
export function readConnection(now: () => Date): (socket: Socket) => ConnectionFacts {
  const known = new WeakMap<Socket, ConnectionFacts>();
  return (socket) => {
    const found = known.get(socket);
    if (found) return found;
    const facts = factsOf(socket);
    known.set(socket, facts);
    if (facts.certificate) endAt(socket, facts.certificate.validTo.getTime() - now().getTime());
    return facts;
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

function factsOf(socket: Socket): ConnectionFacts {
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
