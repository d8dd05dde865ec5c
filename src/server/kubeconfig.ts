import { mkdirSync, renameSync, writeFileSync } from "node:fs";
import path from "node:path";
import { stringify } from "yaml";

/** Where the server is. */
interface KubeconfigServer {
  readonly url: string;
  /** What its certificate is verified with, PEM; absent: what the machine trusts. */
  readonly authority?: string | undefined;
}

/** What a kubeconfig says besides where the server is. */
interface KubeconfigUser {
  /** By which name kubectl's changes go into the Operations; absent: `anonymous`. */
  readonly operator: string | undefined;
  /** What its owner is known by; absent: he need not be known. */
  readonly token?: string;
  readonly namespace?: string;
}

/**
 * Writes a kubeconfig for this server, readable by its owner only.
 *
 * @returns Where it is.
 */
export function writeKubeconfig(
  dataDirectory: string,
  { url, authority }: KubeconfigServer,
  { operator, token, namespace = "default" }: KubeconfigUser,
): string {
  const file = path.join(dataDirectory, "kubeconfig");
  const config = {
    apiVersion: "v1",
    kind: "Config",
    clusters: [{ name: "parasaus", cluster: { server: url, ...trustIn(authority) } }],
    users: [
      { name: "operator", user: { ...(operator ? { as: operator } : {}), ...(token ? { token } : {}) } },
    ],
    contexts: [{ name: "parasaus", context: { cluster: "parasaus", user: "operator", namespace } }],
    "current-context": "parasaus",
  };
  mkdirSync(dataDirectory, { recursive: true, mode: 0o700 });
  writeFileSync(`${file}.new`, stringify(config), { mode: 0o600 });
  renameSync(`${file}.new`, file);
  return file;
}

function trustIn(authority: string | undefined): object {
  if (authority === undefined) return {};
  return { "certificate-authority-data": Buffer.from(authority).toString("base64") };
}
