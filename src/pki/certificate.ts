import { createHash, createPrivateKey, X509Certificate } from "node:crypto";
import { ParasausError } from "../foundation/index.ts";
import { publicPart } from "./keys.ts";

/** What a certificate says, as far as Parasaus reads it. */
export interface CertificateFacts {
  readonly validFrom: Date;
  readonly validTo: Date;
  /** Name of the node that it speaks for; undefined for any other certificate. */
  readonly nodeName: string | undefined;
  /** Which enrolment it came from, directly or by renewals; undefined for those of a foreign authority. */
  readonly enrolment: string | undefined;
  /** Hash of its public key, as {@link publicKeyHash}. */
  readonly keyHash: string;
}

const NODE_NAME = /^node:([a-z0-9](?:[-a-z0-9.]{0,251}[a-z0-9])?)$/;
const ENROLMENT = /^enrolment:([0-9a-f]{32})$/;
const PEM_BLOCK = /-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g;

/**
 * Reads a certificate.
 *
 * @param source PEM, or one that is already parsed
 * @throws ParasausError `Invalid` when it is no certificate
 */
export function readCertificate(source: string | X509Certificate): CertificateFacts {
  const certificate = typeof source === "string" ? parse(source) : source;
  const names = alternativeNames(certificate);
  return {
    validFrom: new Date(certificate.validFrom),
    validTo: new Date(certificate.validTo),
    nodeName: onlyMatch(names, NODE_NAME) ?? (names.length === 0 ? commonNodeName(certificate) : undefined),
    enrolment: onlyMatch(names, ENROLMENT),
    keyHash: hashOf(certificate),
  };
}

/** Whether both are what they should be, PEM, and the certificate is over this key. */
export function isPair(certificate: string, privateKey: string): boolean {
  try {
    return new X509Certificate(certificate).checkPrivateKey(createPrivateKey(privateKey));
  } catch {
    return false;
  }
}

/**
 * The host names and IP addresses that a server's certificate is good for, in its order.
 *
 * @throws ParasausError `Invalid` when it is no certificate
 */
export function serverNamesIn(pem: string): readonly string[] {
  const names = (parse(pem).subjectAltName ?? "").split(", ");
  return names.flatMap((name) => /^(?:DNS|IP Address):(.+)$/.exec(name)?.[1] ?? []);
}

/**
 * `sha256:<hex>` of the public key in a certificate (SubjectPublicKeyInfo), as kubeadm's `--discovery-token-ca-cert-hash`.
 *
 * @throws ParasausError `Invalid` when it is no certificate
 */
export function publicKeyHash(pem: string): string {
  return hashOf(parse(pem));
}

/** The certificates of a PEM bundle, one text each, in their order. */
export function splitBundle(bundle: string): readonly string[] {
  return [...bundle.matchAll(PEM_BLOCK)].map(([block]) => `${block}\n`);
}

/**
 * The authority at the top of a chain, when the chain holds it: the last certificate, if it signed itself.
 *
 * @throws ParasausError `Invalid` when the bundle holds what is no certificate
 */
export function authorityOf(chain: string): string | undefined {
  const last = splitBundle(chain).at(-1);
  if (last === undefined) return undefined;
  const certificate = parse(last);
  return certificate.checkIssued(certificate) ? last : undefined;
}

function parse(pem: string): X509Certificate {
  try {
    return new X509Certificate(pem);
  } catch (cause) {
    throw new ParasausError("Invalid", "Cannot read the certificate: it is no X.509 certificate in PEM", {
      cause,
    });
  }
}

function hashOf({ publicKey }: X509Certificate): string {
  return `sha256:${createHash("sha256").update(publicPart(publicKey)).digest("hex")}`;
}

/** URIs among the alternative names. Node quotes a name that could be taken for two, and a quoted one matches nothing here. */
function alternativeNames({ subjectAltName }: X509Certificate): readonly string[] {
  return (subjectAltName ?? "")
    .split(", ")
    .filter((name) => name.startsWith("URI:"))
    .map((name) => name.slice("URI:".length));
}

/** An authority outside of ours may have no way to write a URI: then the common name counts. */
function commonNodeName({ subject }: X509Certificate): string | undefined {
  const names = (subject ?? "").split("\n").filter((line) => line.startsWith("CN="));
  return onlyMatch(
    names.map((name) => name.slice("CN=".length)),
    NODE_NAME,
  );
}

/** Who claims to be two is nobody. */
function onlyMatch(names: readonly string[], form: RegExp): string | undefined {
  const found = names.flatMap((name) => form.exec(name)?.[1] ?? []);
  return found.length === 1 ? found[0] : undefined;
}
