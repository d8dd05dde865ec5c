import { systemClock } from "../../foundation/index.ts";
import type {
  AgentStatus,
  FlowExplanation,
  FlowTuple,
  MemberCounters,
  ServersOverview,
} from "../../model/index.ts";
import type { Resources } from "../../resources/index.ts";
import { createNodeTransport, createRemoteResources, refusalOf } from "../../resources/remote/index.ts";
import type { ServerCheck } from "../status/report.ts";
import { type Invocation, textOption } from "../verb.ts";
import { findServers } from "./find-servers.ts";
import { type Answer, askServer, streamFromServer } from "./http.ts";
import type { Servers } from "./kubeconfig.ts";

/** What one node's kernel says of a flow. */
export interface FlowAnswer extends FlowExplanation {
  readonly node: string;
  /** Absent when the pool is gone. */
  readonly pool?: { readonly namespace: string; readonly name: string };
}

/** What all agents say of themselves. */
export interface AgentReports {
  readonly agents: readonly AgentStatus[];
  /** Nodes that did not answer in time. */
  readonly silentNodes: readonly string[];
}

/** What all nodes say of a flow. */
export interface FlowAnswers {
  readonly answers: readonly FlowAnswer[];
  /** Nodes that did not answer in time. */
  readonly silentNodes: readonly string[];
}

/** A token for one node. */
export interface MadeToken {
  readonly secret: string;
  /** `sha256:<hex>`; absent: agents must be told the authority by other means. */
  readonly authorityHash?: string;
  /** Where agents reach the server, as far as it knows. */
  readonly server?: string;
  /** ISO 8601. */
  readonly expires: string;
}

/** Everything that verbs ask of a server. */
export interface Connection {
  readonly url: string;
  readonly resources: Resources;
  /** Who asks, for the record of operations. */
  readonly operator: string;
  readonly serverVersion: () => Promise<string>;
  readonly readiness: () => Promise<{ readonly isReady: boolean; readonly checks: readonly ServerCheck[] }>;
  /** How agents are doing now, and which nodes do not answer. */
  readonly agents: () => Promise<AgentReports>;
  /** Which servers there are, and what each does for all of them. */
  readonly servers: () => Promise<ServersOverview>;
  /** Traffic of a pool's members, summed over the nodes. */
  readonly traffic: (namespace: string, name: string) => Promise<readonly MemberCounters[]>;
  readonly explainFlow: (flow: FlowTuple) => Promise<FlowAnswers>;
  /** Makes a token that one node enrols with, once. */
  readonly makeToken: (nodeName: string, lifetimeSeconds: number) => Promise<MadeToken>;
  /** Ends a node's enrolment. @returns how long a certificate lives at most, seconds */
  readonly revokeNode: (nodeName: string) => Promise<void>;
  /** Asks for something under `/api/`. @throws ParasausError as the server refuses it */
  readonly ask: <Value>(path: string, question?: object) => Promise<Value>;
  /** Everything in the server's store at one revision, as a backup file. */
  readonly backup: () => AsyncIterable<Uint8Array>;
}

/** The server that the command line, the environment, the file or the kubeconfig name. */
export function connect(invocation: Invocation): Connection {
  const { configuration, terminal } = invocation;
  const servers = findServers({ configuration, terminal, kubeconfig: textOption(invocation, "kubeconfig") });
  return connectTo(servers, terminal.signal, terminal.environment["USER"]);
}

/** A connection to the first of the servers that answers. */
export function connectTo(servers: Servers, signal: AbortSignal, user = "operator"): Connection {
  const tls = servers.ca === undefined ? {} : { ca: servers.ca };
  const transport = createNodeTransport({
    servers: servers.servers,
    tls: () => tls,
    ...(servers.token === undefined ? {} : { headers: { authorization: `Bearer ${servers.token}` } }),
  });
  const ask = (path: string, question?: unknown) => askServer(transport, path, signal, question, user);
  return {
    url: transport.currentServer(),
    resources: createRemoteResources({ transport, clock: systemClock }),
    operator: user,
    serverVersion: async () => {
      const { gitVersion } = JSON.parse((await ask("/version")).body) as { gitVersion: string };
      return gitVersion.replace(/^v/, "");
    },
    readiness: async () => {
      const { code, body } = await ask("/readyz?verbose");
      return { isReady: code === 200, checks: readChecks(body) };
    },
    agents: async () => readAnswer<AgentReports>(await ask("/internal/v1/agents")),
    servers: async () => readAnswer<ServersOverview>(await ask("/internal/v1/servers")),
    traffic: async (namespace, name) => {
      const path = [namespace, name].map(encodeURIComponent).join("/");
      return readAnswer<{ members: MemberCounters[] }>(await ask(`/internal/v1/pools/${path}/traffic`))
        .members;
    },
    explainFlow: async (flow) => readAnswer<FlowAnswers>(await ask("/internal/v1/explain", flow)),
    makeToken: async (nodeName, lifetimeSeconds) =>
      readAnswer<MadeToken>(await ask("/internal/v1/tokens", { nodeName, lifetimeSeconds })),
    revokeNode: async (nodeName) => {
      const path = `/internal/v1/nodes/${encodeURIComponent(nodeName)}/revocation`;
      readAnswer(await ask(path, {}));
    },
    ask: async <Value>(path: string, question?: object) => readAnswer<Value>(await ask(path, question)),
    backup: () => streamFromServer(transport, "/internal/v1/backup", signal),
  };
}

function readAnswer<Value>({ code, body }: Answer): Value {
  if (code === 200 || code === 201) return JSON.parse(body) as Value;
  throw refusalOf(code, parseStatus(body));
}

function parseStatus(body: string): unknown {
  try {
    return JSON.parse(body);
  } catch {
    return undefined;
  }
}

/** Reads `[+]store ok` lines. */
function readChecks(body: string): readonly ServerCheck[] {
  return [...body.matchAll(/^\[([+-])\](\S+) (?:ok|failed: (.*)|excluded: ok)$/gm)].map(
    ([, sign, name, message]) => ({
      name: name ?? "",
      ok: sign === "+",
      ...(message === undefined ? {} : { message }),
    }),
  );
}
