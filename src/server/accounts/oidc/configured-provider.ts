import { readFileSync } from "node:fs";
import type { Configuration } from "../../../configuration/index.ts";
import { ParasausError } from "../../../foundation/index.ts";
import { type OidcProvider, openOidcProvider } from "./provider.ts";

/**
 * Opens the provider that the configuration names.
 *
 * @param nowMs CLOCK_MONOTONIC, milliseconds.
 * @returns undefined: it names none
 * @throws ParasausError `Usage` when the file with its secret cannot be read
 */
export function openConfiguredProvider(
  { oidcIssuerUrl, oidcClientId, oidcClientSecretFile, oidcUsernameClaim }: Configuration,
  nowMs: () => number,
): OidcProvider | undefined {
  if (oidcIssuerUrl === undefined || oidcClientId === undefined) return undefined;
  const clientSecret = oidcClientSecretFile === undefined ? undefined : readSecret(oidcClientSecretFile);
  return openOidcProvider({
    ...{ issuerUrl: oidcIssuerUrl, clientId: oidcClientId, usernameClaim: oidcUsernameClaim, nowMs },
    ...(clientSecret === undefined ? {} : { clientSecret }),
  });
}

function readSecret(file: string): string {
  try {
    return readFileSync(file, "utf8").trim();
  } catch (cause) {
    const message = `Cannot read --oidc-client-secret-file: ${(cause as Error).message}`;
    throw new ParasausError("Usage", message, { cause });
  }
}
