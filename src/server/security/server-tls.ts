import { networkInterfaces } from "node:os";
import { createSecureContext } from "node:tls";
import type { TlsMaterial } from "../../api/index.ts";
import { type Configuration, isLoopback, readSettingFile } from "../../configuration/index.ts";
import { ParasausError } from "../../foundation/index.ts";
import {
  authorityOf,
  type CertificateAuthority,
  issueServerCertificate,
  readCertificate,
  renewalTime,
  serverNamesIn,
  splitBundle,
} from "../../pki/index.ts";
import { serverNames } from "./server-names.ts";

const LIFETIME_MS = 90 * 86_400_000;
/** Of a certificate's life, after which it is replaced. */
const RENEWAL_FRACTION = 2 / 3;

/** What a server's certificate is made of, or read from. */
export interface ServerTlsOptions {
  readonly configuration: Pick<Configuration, "listen" | "tlsCert" | "tlsKey" | "tlsClientCa" | "tlsSan">;
  readonly authority: CertificateAuthority;
  readonly hostname: string;
  /** Default: the addresses of this machine's devices. */
  readonly addresses?: () => readonly string[];
}

/** What a server shows and believes now. */
export interface ServerTls {
  readonly material: TlsMaterial;
  /** Authority that clients must trust, PEM; undefined when the files do not hold it: then clients know it already. */
  readonly authority: string | undefined;
  /** Names that it is good for, the one to tell others first. */
  readonly names: readonly string[];
}

/**
 * Whether the server speaks TLS at all. On loopback alone it need not, but that kubectl shows what it is known by over
 * nothing else, and that browsers keep a session's cookie for nothing else.
 */
export function speaksTls({
  listen,
  tlsCert,
  noAuth,
}: Pick<Configuration, "listen" | "tlsCert" | "noAuth">): boolean {
  return !isLoopback(listen.host) || tlsCert !== undefined || !noAuth;
}

/**
 * What the server shows from now on.
 *
 * @param previous What it shows already: given back when nothing has to change.
 * @throws ParasausError `Usage` when a file cannot be used
 */
export async function refreshServerTls(
  options: ServerTlsOptions,
  now: Date,
  previous?: ServerTls,
): Promise<ServerTls> {
  const { tlsCert, tlsKey } = options.configuration;
  const next =
    tlsCert !== undefined && tlsKey !== undefined
      ? fromFiles(options, tlsCert, tlsKey)
      : await ownCertificate(options, now, previous);
  return previous && isSame(previous, next) ? previous : next;
}

function fromFiles(options: ServerTlsOptions, certificateFile: string, keyFile: string): ServerTls {
  const certificate = readSettingFile(certificateFile, "--tls-cert");
  const privateKey = readSettingFile(keyFile, "--tls-key");
  try {
    createSecureContext({ cert: certificate, key: privateKey });
    return {
      material: { certificate, privateKey, clientAuthorities: clientAuthorities(options) },
      authority: authorityOf(certificate),
      names: [...options.configuration.tlsSan, ...serverNamesIn(certificate)],
    };
  } catch (cause) {
    const message = `Cannot use --tls-cert "${certificateFile}" with --tls-key "${keyFile}": ${(cause as Error).message}`;
    throw new ParasausError("Usage", message, { cause });
  }
}

async function ownCertificate(
  options: ServerTlsOptions,
  now: Date,
  previous: ServerTls | undefined,
): Promise<ServerTls> {
  const { authority, configuration, hostname, addresses = deviceAddresses } = options;
  const { host } = configuration.listen;
  const names = serverNames({ host, hostname, extra: configuration.tlsSan, addresses: addresses() });
  const isStale = !previous || previous.names.join() !== names.join() || isDue(previous, now);
  const shown = isStale
    ? await issueServerCertificate(authority, { names, lifetimeMs: LIFETIME_MS, now })
    : previous.material;
  const { certificate, privateKey } = shown;
  return {
    material: { certificate, privateKey, clientAuthorities: clientAuthorities(options) },
    authority: authority.certificate,
    names,
  };
}

function isDue({ material }: ServerTls, now: Date): boolean {
  return now >= renewalTime(readCertificate(material.certificate), RENEWAL_FRACTION);
}

function clientAuthorities({ authority, configuration }: ServerTlsOptions): readonly string[] {
  const { tlsClientCa } = configuration;
  if (tlsClientCa === undefined) return [authority.certificate];
  const foreign = splitBundle(readSettingFile(tlsClientCa, "--tls-client-ca"));
  if (foreign.length > 0) return [authority.certificate, ...foreign];
  throw new ParasausError(
    "Usage",
    `Cannot use --tls-client-ca "${tlsClientCa}": it holds no certificate in PEM`,
  );
}

function isSame(a: ServerTls, b: ServerTls): boolean {
  const textOf = ({ material }: ServerTls) =>
    [material.certificate, material.privateKey, ...material.clientAuthorities].join();
  return textOf(a) === textOf(b);
}

function deviceAddresses(): readonly string[] {
  return Object.values(networkInterfaces()).flatMap((device) => (device ?? []).map(({ address }) => address));
}
