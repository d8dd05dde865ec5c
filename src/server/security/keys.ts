/** Outside of the registry, so that no resource shows what is under it. */
const SECURITY_PREFIX = "/parasaus/security/";

/** Holds the certificate authority with its key. */
export const AUTHORITY_KEY = `${SECURITY_PREFIX}authority`;

/** One entry for each token that nodes enrol with, under its hash. */
export const TOKENS_PREFIX = `${SECURITY_PREFIX}tokens/`;

/** Holds which enrolment of a node counts: certificates from an earlier one are not renewed. */
export function enrolmentKey(nodeName: string): string {
  return `${SECURITY_PREFIX}enrolments/${nodeName}`;
}
