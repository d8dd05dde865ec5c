import { createPrivateKey, createPublicKey, type KeyObject, webcrypto } from "node:crypto";

/** The one kind of key and signature that is made here: ECDSA over P-256 with SHA-256. */
export const SIGNING = { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" } as const;

/** A key pair as the certificate library wants it. */
export function generateKeys(): Promise<webcrypto.CryptoKeyPair> {
  return webcrypto.subtle.generateKey(SIGNING, true, ["sign", "verify"]) as Promise<webcrypto.CryptoKeyPair>;
}

/** A private key as PEM (PKCS #8). */
export async function exportPrivateKey({ privateKey }: webcrypto.CryptoKeyPair): Promise<string> {
  const der = await webcrypto.subtle.exportKey("pkcs8", privateKey);
  return createPrivateKey({ key: Buffer.from(der), format: "der", type: "pkcs8" })
    .export({ format: "pem", type: "pkcs8" })
    .toString();
}

/** Both halves of a private key that {@link exportPrivateKey} made. */
export async function importKeys(pem: string): Promise<webcrypto.CryptoKeyPair> {
  const key = createPrivateKey(pem);
  const secret = key.export({ format: "der", type: "pkcs8" });
  const [privateKey, publicKey] = await Promise.all([
    webcrypto.subtle.importKey("pkcs8", secret, SIGNING, true, ["sign"]),
    webcrypto.subtle.importKey("spki", publicPart(createPublicKey(key)), SIGNING, true, ["verify"]),
  ]);
  return { privateKey, publicKey };
}

/** A public key's DER (SubjectPublicKeyInfo). */
export function publicPart(key: KeyObject): Buffer {
  return key.export({ format: "der", type: "spki" });
}
