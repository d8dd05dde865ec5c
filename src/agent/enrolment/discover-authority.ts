import https from "node:https";
import { text } from "node:stream/consumers";
import { ParasausError } from "../../foundation/index.ts";
import { publicKeyHash } from "../../pki/index.ts";

const TIMEOUT_MS = 10_000;

/**
 * Asks a server that nobody vouches for yet for the authority, and believes the answer by its hash alone. Nothing secret is
 * sent: what follows goes over connections that are verified with it.
 *
 * @param expectedHash As `publicKeyHash`.
 * @returns PEM
 * @throws ParasausError `Unavailable` when the server does not answer, `Unauthorized` when its authority is another one
 */
export async function discoverAuthority(
  server: string,
  expectedHash: string,
  signal: AbortSignal,
): Promise<string> {
  let certificate: string;
  let hash: string;
  try {
    ({ certificate } = JSON.parse(await fetchUnverified(new URL("/internal/v1/authority", server), signal)));
    hash = publicKeyHash(certificate);
  } catch (cause) {
    const reason = (cause as Error).message;
    throw new ParasausError("Unavailable", `Cannot learn the authority from ${server}: ${reason}`, { cause });
  }
  if (hash === expectedHash) return certificate;
  throw new ParasausError(
    "Unauthorized",
    `Cannot believe ${server}: its authority is ${hash}, the token expects ${expectedHash}`,
  );
}

function fetchUnverified(url: URL, signal: AbortSignal): Promise<string> {
  return new Promise((resolve, reject) => {
    const options = {
      // Whoever is in between can only answer with the right authority, or be found out by the hash.
      rejectUnauthorized: false,
      agent: false,
      signal: AbortSignal.any([signal, AbortSignal.timeout(TIMEOUT_MS)]),
    };
    const request = https.get(url, options, (response) => {
      if (response.statusCode === 200) text(response).then(resolve, reject);
      else {
        response.resume();
        reject(new Error(`it answered ${response.statusCode}`));
      }
    });
    request.once("error", reject);
  });
}
