import { isIPv4 } from "node:net";
import type { Grants } from "./grants.ts";

/** Who asks. */
export type Identity =
  /** Whoever owns the server: has the token in its data directory, or asks on its machine with `--no-auth`. */
  | { readonly kind: "operator" }
  | AccountIdentity
  /** The agent of one node, by its certificate, or by the agents' token in the server's data directory. */
  | { readonly kind: "node"; readonly name: string; readonly enrolment?: string }
  /** Nobody that is known, and why. */
  | { readonly kind: "stranger"; readonly reason: string };

/** An account, by its session or one of its tokens. */
export interface AccountIdentity {
  readonly kind: "account";
  readonly name: string;
  /** What it may do now, by this credential. */
  readonly grants: Grants;
  readonly credential: AccountCredential;
}

/** What an account is known by. */
export type AccountCredential =
  | {
      readonly kind: "session";
      /** Hash of the session's secret. */
      readonly id: string;
      /** What a browser has to repeat in a header; absent where the session is in no cookie. */
      readonly csrfToken?: string;
    }
  | { readonly kind: "token"; readonly name: string; readonly id: string };

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

/** From where whoever shows nothing is believed to be an operator. */
export type Trust = "nobody" | "loopback" | "anybody";

/** Whether a node's certificate of this enrolment counts no more. */
export type RevocationLookup = (nodeName: string, enrolment: string | undefined) => boolean;

/**
 * Who asks over this connection. Asked anew for each request, so that a certificate ends when it says, not when the
 * connection does.
 *
 * @param believes From where whoever shows nothing is an operator.
 * @param isRevoked Whether certificates of a node count no more.
 */
export function identify(
  { isLoopback, certificate }: ConnectionFacts,
  believes: Trust,
  now: Date,
  isRevoked: RevocationLookup = () => false,
): Identity {
  if (!certificate) {
    if (believes === "anybody" || (believes === "loopback" && isLoopback)) return { kind: "operator" };
    return {
      kind: "stranger",
      reason:
        "the request shows no session, no token and no client certificate; log in (parasaus login), or enrol the node (parasaus node token)",
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
  if (identity.kind === "account") return identity.name;
  return identity.kind === "node" ? `system:node:${identity.name}` : undefined;
}

/** What an identity is known by, for the record of operations. */
export function credentialOf(identity: Identity): string | undefined {
  if (identity.kind !== "account") return undefined;
  const { credential } = identity;
  return credential.kind === "session" ? "session" : `token ${credential.name}`;
}

/** Whether an address is one that only this machine has. */
export function isLoopbackAddress(address: string | undefined): boolean {
  const plain = address?.replace(/^::ffff:(?=\d)/, "") ?? "";
  return plain === "::1" || (isIPv4(plain) && plain.startsWith("127."));
}
