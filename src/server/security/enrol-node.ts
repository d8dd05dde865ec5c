import { ParasausError } from "../../foundation/index.ts";
import { type CertificateAuthority, issueNodeCertificate, publicKeyHash } from "../../pki/index.ts";
import type { Store } from "../../store/index.ts";
import { findEnrolmentToken } from "./enrolment-tokens.ts";
import { enrolmentKey } from "./keys.ts";

/** What certificates for nodes are made with. */
export interface NodeIssuer {
  readonly store: Store;
  readonly authority: CertificateAuthority;
  /** Of each certificate. */
  readonly lifetimeMs: number;
  readonly now: () => Date;
}

/** What an agent asks with for its first certificate. */
export interface EnrolmentRequest {
  readonly token: string;
  readonly nodeName: string;
  /** Certificate request, PEM. */
  readonly request: string;
}

/** What it asks with for the next one. */
export interface RenewalRequest {
  readonly nodeName: string;
  /** In the certificate that it has; undefined: another authority made that. */
  readonly enrolment: string | undefined;
  readonly request: string;
}

/**
 * Gives a node its first certificate, for a token that is used up by it.
 *
 * @returns PEM
 * @throws ParasausError `Unauthorized` when the token is unknown, used or has ended, `Forbidden` when it is another node's,
 *   `BadRequest` when the certificate request is none
 */
export async function enrolNode(issuer: NodeIssuer, asked: EnrolmentRequest): Promise<string> {
  const { store, authority, lifetimeMs, now } = issuer;
  const { token, nodeName, request } = asked;
  for (;;) {
    const found = await findEnrolmentToken(store, token, nodeName, now());
    const options = { request, nodeName, enrolment: found.enrolment, lifetimeMs, now: now() };
    const certificate = await issueNodeCertificate(authority, options);
    if (await found.use(publicKeyHash(certificate))) return certificate;
  }
}

/**
 * Gives a node its next certificate.
 *
 * @returns PEM
 * @throws ParasausError `Forbidden` when the node was enrolled anew since, or another authority made its certificate,
 *   `BadRequest` when the certificate request is none
 */
export async function renewNode(issuer: NodeIssuer, asked: RenewalRequest): Promise<string> {
  const { store, authority, lifetimeMs, now } = issuer;
  const { nodeName, enrolment, request } = asked;
  const refuse = (reason: string) =>
    new ParasausError("Forbidden", `Cannot renew the certificate of the node "${nodeName}": ${reason}`);
  if (enrolment === undefined) throw refuse("another authority made it, and must renew it");
  const entry = await store.get(enrolmentKey(nodeName));
  const current = entry && (JSON.parse(entry.value) as { enrolment: string }).enrolment;
  if (current === undefined) throw refuse("no enrolment of it is known here; enrol it with a new token");
  if (current !== enrolment) throw refuse("the node was enrolled anew since, perhaps on another machine");
  return issueNodeCertificate(authority, { request, nodeName, enrolment, lifetimeMs, now: now() });
}
