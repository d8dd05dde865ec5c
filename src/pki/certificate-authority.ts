import { randomBytes } from "node:crypto";
import { exportPrivateKey, generateKeys, SIGNING } from "./keys.ts";
import { startOf } from "./lifetime.ts";
import { loadX509 } from "./x509.ts";

/** An authority: who has its key can make certificates that everybody in the cluster believes. Both are PEM. */
export interface CertificateAuthority {
  readonly certificate: string;
  /** PKCS #8. Never logged, never sent anywhere but to the store. */
  readonly privateKey: string;
}

const LIFETIME_MS = 10 * 365 * 86_400_000;

/** Makes an authority that lives for ten years. Its name tells it from every other one. */
export async function createCertificateAuthority(now: Date): Promise<CertificateAuthority> {
  const x509 = await loadX509();
  const keys = await generateKeys();
  const usages = x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.cRLSign;
  const certificate = await x509.X509CertificateGenerator.createSelfSigned({
    name: [{ CN: [`Parasaus authority ${randomBytes(4).toString("hex")}`] }],
    notBefore: startOf(now),
    notAfter: new Date(now.getTime() + LIFETIME_MS),
    signingAlgorithm: SIGNING,
    keys,
    extensions: [
      // Path length 0: what it signs cannot sign in turn.
      new x509.BasicConstraintsExtension(true, 0, true),
      new x509.KeyUsagesExtension(usages, true),
      await x509.SubjectKeyIdentifierExtension.create(keys.publicKey),
    ],
  });
  return { certificate: `${certificate.toString("pem")}\n`, privateKey: await exportPrivateKey(keys) };
}
