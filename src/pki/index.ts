export {
  authorityOf,
  type CertificateFacts,
  isPair,
  publicKeyHash,
  readCertificate,
  serverNamesIn,
  splitBundle,
} from "./certificate.ts";
export { type CertificateAuthority, createCertificateAuthority } from "./certificate-authority.ts";
export { type CertificateRequest, createCertificateRequest } from "./certificate-request.ts";
export {
  issueNodeCertificate,
  issueServerCertificate,
  type KeyAndCertificate,
  type NodeCertificateOptions,
  type ServerCertificateOptions,
} from "./issue.ts";
export { renewalTime } from "./lifetime.ts";
export { createToken, hashToken, isTokenOf } from "./token.ts";
