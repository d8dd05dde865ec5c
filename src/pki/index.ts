export { type Authority, createAuthority } from "./authority.ts";
export {
  authorityOf,
  type CertificateFacts,
  publicKeyHash,
  readCertificate,
  splitBundle,
} from "./certificate.ts";
export { type CertificateRequest, createCertificateRequest } from "./certificate-request.ts";
export {
  issueNodeCertificate,
  issueServerCertificate,
  type KeyAndCertificate,
  type NodeCertificateOptions,
  type ServerCertificateOptions,
} from "./issue.ts";
export { createToken, hashToken, isTokenOf } from "./token.ts";
