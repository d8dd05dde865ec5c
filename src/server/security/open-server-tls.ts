import { hostname } from "node:os";
import type { CertificateAuthority } from "../../pki/index.ts";
import type { Store } from "../../store/index.ts";
import type { MeteredOptions } from "../parts.ts";
import { ensureCertificateAuthority } from "./authority-in-store.ts";
import { keepServerTls } from "./keep-server-tls.ts";
import { followRevocations, type Revocations } from "./revocations.ts";
import { refreshServerTls, type ServerTls, speaksTls } from "./server-tls.ts";

/** What a listener shows, and the way to keep it fresh. */
export interface OpenServerTls {
  readonly current: () => ServerTls;
  /** Signs the certificates of nodes. */
  readonly authority: CertificateAuthority;
  /** Nodes whose certificates count no more. */
  readonly revocations: Revocations;
  /** From now on until the server ends. */
  readonly keep: (onChange: (next: ServerTls) => void) => void;
}

/** What is made before anything else of a control plane runs: loading the library for it takes the process a moment. */
export interface OpenServerTlsOptions
  extends Pick<MeteredOptions, "configuration" | "clock" | "log" | "process" | "random"> {
  readonly store: Store;
  readonly signal: AbortSignal;
}

/**
 * Makes what the listener shows, where it speaks TLS.
 *
 * @throws ParasausError `Usage` when a file cannot be used, `StoreCorrupt`, and what the store throws
 */
export async function openServerTls(parts: OpenServerTlsOptions): Promise<OpenServerTls | undefined> {
  const { configuration, store, clock, log, process, random, signal } = parts;
  if (!speaksTls(configuration)) return undefined;
  const logger = log.child({ logger: "security" });
  const authority = await ensureCertificateAuthority(store, { clock, logger });
  const options = { configuration, authority, hostname: hostname(), clock, logger, metrics: process, signal };
  let current = await refreshServerTls(options, clock.now());
  return {
    authority,
    revocations: await followRevocations({ store, clock, logger, random, signal }),
    current: () => current,
    keep: (onChange) =>
      void keepServerTls(options, current, (next) => {
        onChange(next);
        current = next;
      }),
  };
}
