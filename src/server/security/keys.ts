/** Outside of the registry, so that no resource shows what is under it. */
const SECURITY_PREFIX = "/parasaus/security/";

/** Holds the certificate authority with its key. */
export const AUTHORITY_KEY = `${SECURITY_PREFIX}authority`;
