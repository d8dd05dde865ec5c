import { createPrivateKey, X509Certificate } from "node:crypto";
import { isIP } from "node:net";
import { checkServerIdentity, type PeerCertificate } from "node:tls";
import { type ChannelCredentials, type ChannelOptions, credentials } from "@grpc/grpc-js";
import { ParasausError } from "../../foundation/index.ts";

/** TLS towards etcd: PEM texts. */
export interface EtcdTls {
  /** Certificates that those of the members must be signed by; absent = what the system trusts. */
  readonly ca?: string;
  /** Our own certificate, where etcd asks for one. */
  readonly certificate?: string;
  /** Its private key. */
  readonly key?: string;
}

/** How one member is connected to. */
export interface ChannelSecurity {
  readonly credentials: ChannelCredentials;
  readonly options: ChannelOptions;
}

// TLS sends a name to the server, never an address (RFC 6066). etcd has one certificate and does not look at it.
const NAME_FOR_ADDRESSES = "etcd";

/**
 * What `host` is connected to with.
 *
 * @throws ParasausError `Usage` when certificate or key cannot be used
 */
export function secureChannel(host: string, tls: EtcdTls | undefined): ChannelSecurity {
  if (!tls) return { credentials: credentials.createInsecure(), options: {} };
  const [ca, key, certificate] = readTls(tls);
  const isAddress = isIP(host) !== 0;
  const verify = isAddress
    ? { checkServerIdentity: (_name: string, peer: PeerCertificate) => checkServerIdentity(host, peer) }
    : {};
  return {
    credentials: credentials.createSsl(ca, key, certificate, verify),
    options: isAddress ? { "grpc.ssl_target_name_override": NAME_FOR_ADDRESSES } : {},
  };
}

/**
 * Looks whether connections can be secured with it; the members may think otherwise.
 *
 * @throws ParasausError `Usage` when certificate or key cannot be used
 */
export function assertUsable(tls: EtcdTls): void {
  readTls(tls);
}

/** Node takes any text for a certificate, and only the handshake fails. */
function readTls({ ca, key, certificate }: EtcdTls): readonly [Buffer | null, Buffer | null, Buffer | null] {
  if (ca !== undefined) readable("the certificate authority", () => new X509Certificate(ca));
  if (certificate !== undefined && key !== undefined) {
    const own = readable("the own certificate", () => new X509Certificate(certificate));
    const secret = readable("the own private key", () => createPrivateKey(key));
    if (!own.checkPrivateKey(secret))
      throw unusable("the own private key", "it belongs to another certificate");
  }
  const [first, second, third] = [ca, key, certificate].map((text) =>
    text === undefined ? null : Buffer.from(text),
  );
  return [first ?? null, second ?? null, third ?? null];
}

function readable<T>(what: string, read: () => T): T {
  try {
    return read();
  } catch (cause) {
    throw unusable(
      what,
      `it is not in PEM (${cause instanceof Error ? cause.message : String(cause)})`,
      cause,
    );
  }
}

function unusable(what: string, reason: string, cause?: unknown): ParasausError {
  return new ParasausError("Usage", `Cannot use ${what} for etcd: ${reason}`, { cause });
}
