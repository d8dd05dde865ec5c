import path from "node:path";
import { isLoopback, type LoadedConfiguration, readSettingFile } from "../../configuration/index.ts";
import { systemClock, type Terminal } from "../../foundation/index.ts";
import { readKubeconfig, type Servers } from "./kubeconfig.ts";
import { findLogin } from "./logins.ts";

/** Everything that says which servers to ask and what to be known by. */
export interface ServerSources {
  readonly configuration: LoadedConfiguration;
  readonly terminal: Terminal;
  /** Of `--kubeconfig`. */
  readonly kubeconfig?: string | undefined;
}

/**
 * The servers to ask, and what they know us by: a kubeconfig that is named; else `PARASAUS_TOKEN`; else what
 * `parasaus login` got there; else, on the server's own machine, the kubeconfig in its data directory.
 */
export function findServers({ configuration, terminal, kubeconfig }: ServerSources): Servers {
  const { values, settings } = configuration;
  if (kubeconfig !== undefined && settings.server.source.kind !== "flag") return readKubeconfig(kubeconfig);
  const { server: servers, ca: caFile } = values;
  const ca = caFile === undefined ? {} : { ca: readSettingFile(caFile, "--ca") };
  const token = terminal.environment["PARASAUS_TOKEN"];
  if (token) return { servers, ...ca, token };
  const login = findLogin(terminal, servers[0] ?? "", systemClock.now());
  if (login)
    return { servers, ...(login.ca === undefined ? {} : { ca: login.ca }), ...ca, token: login.token };
  return ownServer(servers, values.dataDir) ?? { servers, ...ca };
}

/** What is known by the certificate in the kubeconfig, before the token goes there: another program may have taken the port. */
function ownServer(servers: readonly string[], dataDirectory: string): Servers | undefined {
  const [first, ...others] = servers;
  if (first === undefined || others.length > 0) return undefined;
  const asked = new URL(first);
  if (asked.protocol !== "http:" || !isLoopback(asked.hostname)) return undefined;
  try {
    const own = readKubeconfig(path.join(dataDirectory, "kubeconfig"));
    const isTheSame = own.servers.some((server) => new URL(server).port === asked.port);
    return isTheSame && own.token !== undefined ? own : undefined;
  } catch {
    // There is none, or it is somebody else's.
    return undefined;
  }
}
