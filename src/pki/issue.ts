import { type webcrypto, X509Certificate } from "node:crypto";
import { isIP } from "node:net";
import { ParasausError } from "../foundation/index.ts";
import type { CertificateAuthority } from "./certificate-authority.ts";
import { exportPrivateKey, generateKeys, importKeys, SIGNING } from "./keys.ts";
import { endOf, startOf } from "./lifetime.ts";
import { loadX509 } from "./x509.ts";

/** A certificate and the key that belongs to it, both PEM. */
export interface KeyAndCertificate {
  readonly certificate: string;
  readonly privateKey: string;
}

/** How to make a server's certificate. */
export interface ServerCertificateOptions {
  /** Host names and IP addresses by which clients call the server; at least one. */
  readonly names: readonly string[];
  readonly lifetimeMs: number;
  readonly now: Date;
}

/** How to make a node's certificate. */
export interface NodeCertificateOptions {
  /** What {@link createCertificateRequest} made: PEM. Only its key counts. */
  readonly request: string;
  readonly nodeName: string;
  /** 32 hexadecimal digits that tell this enrolment from others of the node. */
  readonly enrolment: string;
  readonly lifetimeMs: number;
  readonly now: Date;
}

type Purpose = "serverAuth" | "clientAuth";
type AlternativeName = { readonly type: "dns" | "ip" | "url"; readonly value: string };

/** Longest common name that X.509 allows, characters. */
const LONGEST_COMMON_NAME = 64;

/** Makes a key and a certificate that only a server can use. */
export async function issueServerCertificate(
  authority: CertificateAuthority,
  { names, lifetimeMs, now }: ServerCertificateOptions,
): Promise<KeyAndCertificate> {
  const keys = await generateKeys();
  const certificate = await sign(authority, {
    commonName: `server:${names[0] ?? ""}`,
    alternativeNames: names.map((value) => ({ type: isIP(value) === 0 ? "dns" : "ip", value })),
    purpose: "serverAuth",
    publicKey: keys.publicKey,
    lifetimeMs,
    now,
  });
  return { certificate, privateKey: await exportPrivateKey(keys) };
}

/**
 * Makes the certificate that one node proves itself with: 'node:NAME' as its name, good for clients only.
 *
 * @returns PEM
 * @throws ParasausError `BadRequest` when the request is none, is not signed by its own key, or that key is not ECDSA P-256
 */
export async function issueNodeCertificate(
  authority: CertificateAuthority,
  { request, nodeName, enrolment, lifetimeMs, now }: NodeCertificateOptions,
): Promise<string> {
  return sign(authority, {
    commonName: `node:${nodeName}`,
    alternativeNames: [
      { type: "url", value: `node:${nodeName}` },
      { type: "url", value: `enrolment:${enrolment}` },
    ],
    purpose: "clientAuth",
    publicKey: await requestedKey(request),
    lifetimeMs,
    now,
  });
}

interface Leaf {
  readonly commonName: string;
  readonly alternativeNames: readonly AlternativeName[];
  readonly purpose: Purpose;
  readonly publicKey: webcrypto.CryptoKey;
  readonly lifetimeMs: number;
  readonly now: Date;
}

async function sign(authority: CertificateAuthority, leaf: Leaf): Promise<string> {
  const x509 = await loadX509();
  const issuer = new x509.X509Certificate(authority.certificate);
  const { privateKey } = await importKeys(authority.privateKey);
  const certificate = await x509.X509CertificateGenerator.create({
    subject: [{ CN: [leaf.commonName.slice(0, LONGEST_COMMON_NAME)] }],
    issuer: issuer.subject,
    notBefore: startOf(leaf.now),
    notAfter: endOf(leaf.now, leaf.lifetimeMs, new Date(new X509Certificate(authority.certificate).validTo)),
    signingAlgorithm: SIGNING,
    publicKey: leaf.publicKey,
    signingKey: privateKey,
    extensions: [
      new x509.BasicConstraintsExtension(false, undefined, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true),
      new x509.ExtendedKeyUsageExtension([x509.ExtendedKeyUsage[leaf.purpose]]),
      new x509.SubjectAlternativeNameExtension([...leaf.alternativeNames]),
      await x509.SubjectKeyIdentifierExtension.create(leaf.publicKey),
      await x509.AuthorityKeyIdentifierExtension.create(issuer),
    ],
  });
  return `${certificate.toString("pem")}\n`;
}

/** The public key of a certificate request, once the request has proved to have the private one too. */
async function requestedKey(request: string): Promise<webcrypto.CryptoKey> {
  const refuse = (reason: string, cause?: unknown) =>
    new ParasausError("BadRequest", `Cannot issue a certificate: ${reason}`, { cause });
  const { Pkcs10CertificateRequest } = await loadX509();
  let parsed: InstanceType<typeof Pkcs10CertificateRequest>;
  let isProved: boolean;
  try {
    parsed = new Pkcs10CertificateRequest(request);
    isProved = await parsed.verify();
  } catch (cause) {
    throw refuse("the request is no PKCS #10 certificate request in PEM", cause);
  }
  if (!isProved) throw refuse("the request is not signed by its own key");
  const { algorithm } = parsed.publicKey;
  if (algorithm.name !== SIGNING.name || !isNamedCurve(algorithm, SIGNING.namedCurve)) {
    throw refuse(`the request's key is ${algorithm.name}, expected ECDSA over P-256`);
  }
  return parsed.publicKey.export();
}

function isNamedCurve(algorithm: object, curve: string): boolean {
  return "namedCurve" in algorithm && algorithm.namedCurve === curve;
}
