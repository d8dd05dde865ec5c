import { mkdirSync, renameSync, writeFileSync } from "node:fs";
import path from "node:path";
import { stringify } from "yaml";

/** What a kubeconfig says besides where the server is. */
interface KubeconfigUser {
  /** By which name kubectl's changes go into the Operations; absent: `anonymous`. */
  readonly operator: string | undefined;
  readonly namespace?: string;
}

/**
 * Writes a kubeconfig for this server, readable by its owner only.
 *
 * @returns Where it is.
 */
export function writeKubeconfig(
  dataDirectory: string,
  serverUrl: string,
  { operator, namespace = "default" }: KubeconfigUser,
): string {
  const file = path.join(dataDirectory, "kubeconfig");
  const config = {
    apiVersion: "v1",
    kind: "Config",
    clusters: [{ name: "parasaus", cluster: { server: serverUrl } }],
    users: [{ name: "operator", user: operator ? { as: operator } : {} }],
    contexts: [{ name: "parasaus", context: { cluster: "parasaus", user: "operator", namespace } }],
    "current-context": "parasaus",
  };
  mkdirSync(dataDirectory, { recursive: true, mode: 0o700 });
  writeFileSync(`${file}.new`, stringify(config), { mode: 0o600 });
  renameSync(`${file}.new`, file);
  return file;
}
