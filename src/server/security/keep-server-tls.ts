import type { Clock, Logger } from "../../foundation/index.ts";
import { readCertificate } from "../../pki/index.ts";
import type { ProcessMetrics } from "../metrics/registry.ts";
import { refreshServerTls, type ServerTls, type ServerTlsOptions } from "./server-tls.ts";

/** How often files and addresses are looked at, milliseconds. */
const CHECK_MS = 60_000;

/** What keeping a certificate fresh needs. */
export interface KeepServerTlsOptions extends ServerTlsOptions {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly metrics: Pick<ProcessMetrics, "gauge">;
  readonly signal: AbortSignal;
}

/** Replaces the server's certificate before it ends, when its addresses change and when its files do. */
export async function keepServerTls(
  options: KeepServerTlsOptions,
  first: ServerTls,
  onChange: (next: ServerTls) => void,
): Promise<void> {
  const { clock, logger, metrics, signal, authority } = options;
  const ends = metrics.gauge(
    "parasaus_certificate_end_timestamp_seconds",
    "When the certificate ends, seconds since 1970.",
    ["certificate"],
  );
  const tell = ({ material }: ServerTls) => {
    ends({ certificate: "server" }, secondsOf(material.certificate));
    ends({ certificate: "authority" }, secondsOf(authority.certificate));
  };
  tell(first);
  for (let current = first; !signal.aborted; ) {
    await clock.sleep(CHECK_MS, signal).catch(() => undefined);
    if (signal.aborted) return;
    try {
      const next = await refreshServerTls(options, clock.now(), current);
      if (next === current) continue;
      onChange(next);
      tell(next);
      current = next;
      const { validTo } = readCertificate(next.material.certificate);
      logger.info("server certificate replaced", { names: next.names, validTo: validTo.toISOString() });
    } catch (error) {
      logger.error("server certificate not replaced, the old one stays", { error });
    }
  }
}

function secondsOf(certificate: string): number {
  return Math.floor(readCertificate(certificate).validTo.getTime() / 1_000);
}
