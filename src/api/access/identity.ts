import { isIPv4 } from "node:net";

/** Who asks. Accounts will add more kinds. */
export type Identity =
  /** Whoever reaches the server where everybody is believed: its own machine, or anywhere with `--insecure`. */
  | { readonly kind: "operator" }
  /** The agent of one node, by its certificate. */
  | { readonly kind: "node"; readonly name: string; readonly enrolment?: string }
  /** Nobody that is known, and why. */
  | { readonly kind: "stranger"; readonly reason: string };

/** What a connection shows of who is at its other end. */
export interface ConnectionFacts {
  /** Both ends are this machine. */
  readonly isLoopback: boolean;
  /** Absent: the client showed none, or could not. */
  readonly certificate?: ClientCertificate;
}

/** A client's certificate, and what the handshake made of it. */
export interface ClientCertificate {
  /** Why it is not believed (OpenSSL's word); absent: it is signed by an authority that counts. */
  readonly problem?: string;
  readonly nodeName: string | undefined;
  readonly enrolment: string | undefined;
  readonly validTo: Date;
}

/** Whether a node's certificate of this enrolment counts no more. */
export type RevocationLookup = (nodeName: string, enrolment: string | undefined) => boolean;

/**
 * Who asks over this connection. Asked anew for each request, so that a certificate ends when it says, not when the
 * connection does.
 *
 * @param admitsAnybody Whoever shows no certificate is an operator, wherever he asks from.
 * @param isRevoked Whether certificates of a node count no more.
 */
export function identify(
  { isLoopback, certificate }: ConnectionFacts,
  admitsAnybody: boolean,
  now: Date,
  isRevoked: RevocationLookup = () => false,
): Identity {
  if (!certificate) {
    if (isLoopback || admitsAnybody) return { kind: "operator" };
    return {
      kind: "stranger",
      reason:
        "the request comes without a client certificate; nodes enrol with a token (parasaus node token), and operators ask on the server's own machine",
    };
  }
  const { problem, nodeName, enrolment, validTo } = certificate;
  if (problem !== undefined) return stranger(`the client certificate is not believed (${problem})`);
  if (validTo.getTime() <= now.getTime()) {
    return stranger(`the client certificate ended at ${validTo.toISOString()}`);
  }
  if (nodeName === undefined) return stranger("the client certificate names no node");
  if (isRevoked(nodeName, enrolment)) return stranger(`the enrolment of the node "${nodeName}" was revoked`);
  return { kind: "node", name: nodeName, ...(enrolment === undefined ? {} : { enrolment }) };
}

function stranger(reason: string): Identity {
  return { kind: "stranger", reason };
}

/** The name that an identity writes under, for the record of operations; undefined: it says its name itself. */
export function writerOf(identity: Identity): string | undefined {
  return identity.kind === "node" ? `system:node:${identity.name}` : undefined;
}

/** Whether an address is one that only this machine has. */
export function isLoopbackAddress(address: string | undefined): boolean {
  const plain = address?.replace(/^::ffff:(?=\d)/, "") ?? "";
  return plain === "::1" || (isIPv4(plain) && plain.startsWith("127."));
}
