import { type Clock, type Logger, ParasausError } from "../../foundation/index.ts";
import { type CertificateAuthority, createCertificateAuthority, publicKeyHash } from "../../pki/index.ts";
import type { Store } from "../../store/index.ts";
import { AUTHORITY_KEY } from "./keys.ts";

/**
 * The certificate authority of everything that works on this store: made by the first server that asks, the same for all.
 *
 * @throws ParasausError `StoreCorrupt` when what is stored is none, and what the store throws
 */
export async function ensureCertificateAuthority(
  store: Store,
  { clock, logger }: { readonly clock: Clock; readonly logger: Logger },
): Promise<CertificateAuthority> {
  const found = await readAuthority(store);
  if (found) return found;
  const made = await createCertificateAuthority(clock.now());
  const isAbsent = { key: AUTHORITY_KEY, modRevision: 0 };
  const put = { kind: "put", key: AUTHORITY_KEY, value: JSON.stringify(made) } as const;
  const { succeeded } = await store.transact([isAbsent], [put]);
  if (succeeded) logger.info("certificate authority made", { hash: publicKeyHash(made.certificate) });
  // Another server may have been first: then its authority is everybody's.
  const first = succeeded ? made : await readAuthority(store);
  if (first) return first;
  throw new ParasausError(
    "Unavailable",
    `Cannot make a certificate authority: "${AUTHORITY_KEY}" comes and goes`,
  );
}

async function readAuthority(store: Store): Promise<CertificateAuthority | undefined> {
  const entry = await store.get(AUTHORITY_KEY);
  if (!entry) return undefined;
  try {
    const { certificate, privateKey } = JSON.parse(entry.value) as CertificateAuthority;
    publicKeyHash(certificate);
    return { certificate, privateKey };
  } catch {
    // No cause: a parser's message quotes what it read, which is a key.
    throw new ParasausError(
      "StoreCorrupt",
      `Cannot read "${AUTHORITY_KEY}": it holds no certificate authority`,
    );
  }
}
