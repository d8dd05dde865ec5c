/** Outside of the registry, so that no resource shows what is under it. */
export const SECURITY_PREFIX = "/parasaus/security/";

/** Holds the certificate authority with its key. */
export const AUTHORITY_KEY = `${SECURITY_PREFIX}authority`;

/** One entry for each token that nodes enrol with, under its hash. */
export const TOKENS_PREFIX = `${SECURITY_PREFIX}tokens/`;

/** One entry for each node that was revoked: of its certificates, only those of a later enrolment count. */
export const REVOCATIONS_PREFIX = `${SECURITY_PREFIX}revocations/`;

/** Holds which enrolment of a node counts: certificates from an earlier one are not renewed. */
export function enrolmentKey(nodeName: string): string {
  return `${SECURITY_PREFIX}enrolments/${nodeName}`;
}

/** Holds since when certificates of a node count no more, unless they are of the enrolment that counts. */
export function revocationKey(nodeName: string): string {
  return `${REVOCATIONS_PREFIX}${nodeName}`;
}
