import { exportPrivateKey, generateKeys, SIGNING } from "./keys.ts";
import { loadX509 } from "./x509.ts";

/** A new key and the request for a certificate over it, both PEM. */
export interface CertificateRequest {
  readonly privateKey: string;
  readonly request: string;
}

/** Makes a key and asks, with it, to be believed to be this node. The key stays where it was made. */
export async function createCertificateRequest(nodeName: string): Promise<CertificateRequest> {
  const x509 = await loadX509();
  const keys = await generateKeys();
  const request = await x509.Pkcs10CertificateRequestGenerator.create({
    name: [{ CN: [`node:${nodeName}`] }],
    keys,
    signingAlgorithm: SIGNING,
  });
  return { privateKey: await exportPrivateKey(keys), request: `${request.toString("pem")}\n` };
}
