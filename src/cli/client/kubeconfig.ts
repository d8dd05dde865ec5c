import { readFileSync } from "node:fs";
import path from "node:path";
import { parse } from "yaml";
import { ParasausError } from "../../foundation/index.ts";

/** Which servers to ask, and how to know them. */
export interface Servers {
  readonly servers: readonly string[];
  /** Authorities that their certificates may come from, PEM; absent: those that the machine trusts. */
  readonly ca?: string;
  /** What they know us by; absent: nothing. */
  readonly token?: string;
}

/**
 * The server of a kubeconfig's current context, with the authority and the token that are written beside it.
 *
 * @throws ParasausError `Usage` when the file is none, or names no server
 */
export function readKubeconfig(file: string): Servers {
  const refuse = (reason: string, cause?: unknown) =>
    new ParasausError("Usage", `Cannot read the server from "${file}": ${reason}`, { cause });
  try {
    const config = parse(readFileSync(file, "utf8")) as Kubeconfig | null;
    const context = config?.contexts?.find(({ name }) => name === config["current-context"])?.context;
    const cluster = config?.clusters?.find(({ name }) => name === context?.cluster)?.cluster;
    if (cluster?.server === undefined) throw new Error("its current context names no server");
    const ca = authorityIn(cluster, path.dirname(file));
    const token = config?.users?.find(({ name }) => name === context?.user)?.user?.token;
    return {
      servers: [cluster.server.replace(/\/$/, "")],
      ...(ca === undefined ? {} : { ca }),
      ...(token === undefined ? {} : { token }),
    };
  } catch (cause) {
    throw refuse((cause as Error).message, cause);
  }
}

/** As kubectl does: data before a file, whose path counts from the kubeconfig. */
function authorityIn(cluster: Cluster, folder: string): string | undefined {
  const { "certificate-authority-data": written, "certificate-authority": file } = cluster;
  if (written !== undefined) return Buffer.from(written, "base64").toString("utf8");
  return file === undefined ? undefined : readFileSync(path.resolve(folder, file), "utf8");
}

interface Cluster {
  readonly server?: string;
  readonly "certificate-authority-data"?: string;
  readonly "certificate-authority"?: string;
}

interface Kubeconfig {
  readonly "current-context"?: string;
  readonly contexts?: readonly {
    readonly name: string;
    readonly context?: { readonly cluster?: string; readonly user?: string };
  }[];
  readonly clusters?: readonly { readonly name: string; readonly cluster?: Cluster }[];
  readonly users?: readonly { readonly name: string; readonly user?: { readonly token?: string } }[];
}
