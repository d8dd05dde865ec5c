import type { Configuration } from "openid-client";
import { ParasausError } from "../../../foundation/index.ts";

/** How accounts are known at an OIDC provider. */
export interface OidcOptions {
  /** Base URL of the provider; its description is at `/.well-known/openid-configuration` below. */
  readonly issuerUrl: string;
  readonly clientId: string;
  /** Absent: a client without a secret, which PKCE alone protects. */
  readonly clientSecret?: string;
  /** Claim of the ID token that accounts are known by. */
  readonly usernameClaim: string;
  /** CLOCK_MONOTONIC, milliseconds. */
  readonly nowMs: () => number;
}

/** What a browser keeps between leaving for the provider and coming back. */
export interface LoginMemory {
  readonly state: string;
  readonly nonce: string;
  readonly codeVerifier: string;
}

/** An OIDC provider, as a relying party sees it: authorization code with PKCE. */
export interface OidcProvider {
  /**
   * Begins a login.
   *
   * @param callbackUrl Where the provider sends the browser back to.
   * @returns where the browser goes, and what it keeps meanwhile
   * @throws ParasausError `Unavailable`
   */
  begin(callbackUrl: string): Promise<{ readonly url: string; readonly memory: LoginMemory }>;
  /**
   * Ends a login.
   *
   * @param answerUrl Where the provider sent the browser, with all that it said.
   * @returns the name that the provider knows whoever logged in by
   * @throws ParasausError `Unauthorized` when the provider let nobody in, or what came back is not believed; `Unavailable`
   */
  finish(answerUrl: string, memory: LoginMemory): Promise<string>;
}

/** So long what a provider says of itself is believed, milliseconds. */
const DISCOVERY_MS = 3_600_000;
const TIMEOUT_SECONDS = 10;

/** Opens a provider. It is asked nothing until somebody logs in. */
export function openOidcProvider(options: OidcOptions): OidcProvider {
  const { issuerUrl, usernameClaim, nowMs } = options;
  let known: { readonly configuration: Promise<Configuration>; readonly untilMs: number } | undefined;
  const configuration = () => {
    if (known && nowMs() < known.untilMs) return known.configuration;
    const discovered = discover(options);
    known = { configuration: discovered, untilMs: nowMs() + DISCOVERY_MS };
    discovered.catch(() => {
      known = undefined;
    });
    return discovered;
  };
  return {
    async begin(callbackUrl) {
      const client = await import("openid-client");
      const found = await configuration();
      const memory = {
        state: client.randomState(),
        nonce: client.randomNonce(),
        codeVerifier: client.randomPKCECodeVerifier(),
      };
      const url = client.buildAuthorizationUrl(found, {
        redirect_uri: callbackUrl,
        scope: "openid profile email",
        state: memory.state,
        nonce: memory.nonce,
        code_challenge: await client.calculatePKCECodeChallenge(memory.codeVerifier),
        code_challenge_method: "S256",
      });
      return { url: url.href, memory };
    },
    async finish(answerUrl, { state, nonce, codeVerifier }) {
      const client = await import("openid-client");
      const found = await configuration();
      const checks = { pkceCodeVerifier: codeVerifier, expectedState: state, expectedNonce: nonce };
      const tokens = await client
        .authorizationCodeGrant(found, new URL(answerUrl), { ...checks, idTokenExpected: true })
        .catch((cause: unknown) => {
          throw refusalOf(cause, issuerUrl);
        });
      const claims: Readonly<Record<string, unknown>> = tokens.claims() ?? {};
      if (usernameClaim in claims) return nameIn(claims, usernameClaim);
      // Many providers tell more than who it is only when they are asked again.
      const told = await client
        .fetchUserInfo(found, tokens.access_token, String(claims["sub"]))
        .catch((cause: unknown) => {
          throw refusalOf(cause, issuerUrl);
        });
      return nameIn(told, usernameClaim);
    },
  };
}

async function discover({ issuerUrl, clientId, clientSecret }: OidcOptions): Promise<Configuration> {
  const client = await import("openid-client");
  const issuer = new URL(issuerUrl);
  // The setting permits plain HTTP on loopback alone.
  const insecure = issuer.protocol === "http:" ? [client.allowInsecureRequests] : [];
  const authentication = clientSecret === undefined ? client.None() : client.ClientSecretBasic(clientSecret);
  const options = { execute: [client.enableNonRepudiationChecks, ...insecure], timeout: TIMEOUT_SECONDS };
  try {
    return await client.discovery(issuer, clientId, {}, authentication, options);
  } catch (cause) {
    const message = `Cannot ask the OIDC provider "${issuerUrl}": ${reasonOf(cause)}`;
    throw new ParasausError("Unavailable", message, { cause });
  }
}

function refusalOf(cause: unknown, issuerUrl: string): ParasausError {
  const isUnreachable =
    cause instanceof Error && (cause.name === "TimeoutError" || cause.message === "fetch failed");
  if (isUnreachable) {
    const message = `Cannot ask the OIDC provider "${issuerUrl}": ${reasonOf(cause)}`;
    return new ParasausError("Unavailable", message, { cause });
  }
  return new ParasausError("Unauthorized", `Cannot log in by OIDC: ${reasonOf(cause)}`, { cause });
}

/** What a provider says beside its error's name is text of its own. */
function reasonOf(cause: unknown): string {
  const {
    message = String(cause),
    error,
    cause: inner,
  } = cause as {
    message?: string;
    error?: string;
    cause?: { message?: string; code?: string };
  };
  const detail = error ?? inner?.code ?? inner?.message;
  return detail === undefined ? message : `${message} (${detail})`;
}

function nameIn(claims: Readonly<Record<string, unknown>>, usernameClaim: string): string {
  const name = claims[usernameClaim];
  if (typeof name !== "string" || name === "") {
    throw new ParasausError(
      "Unauthorized",
      `Cannot log in by OIDC: the provider's token has no text in the claim "${usernameClaim}"`,
    );
  }
  if (usernameClaim === "email" && claims["email_verified"] === false) {
    throw new ParasausError(
      "Unauthorized",
      "Cannot log in by OIDC: the provider has not verified the e-mail address",
    );
  }
  return name;
}
