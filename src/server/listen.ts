import { isIPv6 } from "node:net";
import {
  createHttpServer,
  createKubeApi,
  createNodeRequests,
  createRestReference,
  type HealthChecks,
  type HttpServer,
  type HttpServerOptions,
  type NodeRequests,
} from "../api/index.ts";
import { ParasausError, VERSION } from "../foundation/index.ts";
import { DEFINITIONS, type KubeObject, type Node, nodeDefinition } from "../model/index.ts";
import type { Resources } from "../resources/index.ts";
import type { Accounts } from "./accounts/open-accounts.ts";
import { backupRoute } from "./backup/backup-route.ts";
import { confirmationRoutes } from "./confirmations/confirmation-routes.ts";
import { consoleRoutes } from "./console/console-routes.ts";
import { type AgentReports, createAgentSurvey } from "./live/agents.ts";
import { decoratePool, withLastOperation } from "./live/decorate-pool.ts";
import { explainRoute } from "./live/explain-route.ts";
import { newestRevision, withLiveNodes } from "./live/live-nodes.ts";
import { liveRoutes } from "./live/live-routes.ts";
import { type NodePulse, startNodePulse } from "./live/node-pulse.ts";
import { serversRoute } from "./live/servers-route.ts";
import { countRefusedLists, countWatchers, noteSlowClients } from "./metrics/client-metrics.ts";
import { askCounters } from "./metrics/node-counters.ts";
import { observeRequests } from "./metrics/request-metrics.ts";
import { renderServerMetrics } from "./metrics/server-metrics.ts";
import { objectRoutes } from "./objects/object-routes.ts";
import { operationRoutes } from "./operations/operation-routes.ts";
import type { Parts } from "./parts.ts";
import { planRoute } from "./plan/plan-route.ts";
import { type EnrolmentSource, enrolmentRoutes } from "./security/enrolment-routes.ts";
import type { OpenServerTls } from "./security/open-server-tls.ts";
import type { ServerTls } from "./security/server-tls.ts";

/** A control plane's listener. */
export interface Listener {
  readonly http: HttpServer;
  /** Absent where it speaks plain HTTP alone. */
  readonly tls?: TlsAddress;
}

/** How a control plane is reached over TLS. */
export interface TlsAddress {
  readonly port: number;
  /** For other machines. */
  readonly url: string;
  /** Authority that its certificate is verified with, PEM; undefined: clients know it already. */
  readonly authority: string | undefined;
}

/**
 * Serves the Kubernetes API, the agents' requests, health and metrics.
 *
 * @param accounts Who may ask.
 * @param tls Absent: plain HTTP alone.
 * @throws ParasausError `Unavailable` when the address cannot be listened on
 */
export async function listen(
  parts: Parts,
  accounts: Accounts,
  tls: OpenServerTls | undefined,
): Promise<Listener> {
  const { configuration, clock, log, operations, resources, process, view, store } = parts;
  const { pools } = view;
  const nodes = createNodeRequests({ clock });
  const nodeNames = async () =>
    (await resources.list(nodeDefinition)).items.map(({ metadata }) => metadata.name);
  const survey = createAgentSurvey(nodes, nodeNames, clock);
  const ending = new AbortController();
  const pulse = startNodePulse({
    ...{ nodes, store, resources, clock, signal: ending.signal },
    logger: log.child({ logger: "nodes" }),
  });
  const endPulse = () => {
    ending.abort();
    return pulse.ended;
  };
  const live = liveResources(parts, pulse);
  const readNodes = async () => (await live.list(nodeDefinition)).items as readonly Node[];
  let url: string | undefined;
  try {
    const http = await createHttpServer(
      {
        logger: log.child({ logger: "api" }),
        version: VERSION,
        health: healthChecks(parts),
        metrics: () => renderServerMetrics(metricsSource(parts, nodes, survey)),
        onResponse: observeRequests(process),
        ...(tls ? tlsOptions(tls) : {}),
        permitsPlain: configuration.insecure,
        ...accounts.guard,
        now: () => clock.now(),
        routes: [
          // First, so that it is told of every other route.
          createRestReference(VERSION),
          kubeApi(parts, survey, live),
          accounts.routes,
          operationRoutes({ resources, pools, last: operations.log }),
          objectRoutes(resources),
          confirmationRoutes({ resources, store, clock, epoch: parts.epoch.number }),
          planRoute({ resources, store, pools, clock, nodes, nodeNames }),
          nodes.routes,
          explainRoute({ nodes, pools, nodeNames }),
          liveRoutes({ nodes, pools, survey }),
          serversRoute(store),
          backupRoute(parts),
          consoleRoutes(parts, { nodes, decorate: decorateWith(parts, survey), readNodes }),
          enrolmentRoutes(enrolmentSource(parts, tls, () => url)),
        ],
      },
      configuration.listen,
    );
    tls?.keep(({ material }) => http.useTls(material));
    void tls?.revocations.onChange(http.endRevoked);
    void accounts.watchOver(http);
    const end = () => Promise.all([http[Symbol.asyncDispose](), endPulse()]).then(() => undefined);
    const ended = { ...http, [Symbol.asyncDispose]: end };
    if (!tls) return { http: ended };
    url = tlsUrl(tls.current(), http.port);
    return { http: ended, tls: { url, port: http.port, authority: tls.current().authority } };
  } catch (failure) {
    await endPulse();
    throw explainListenFailure(failure);
  }
}

function tlsOptions({
  current,
  revocations,
}: OpenServerTls): Pick<HttpServerOptions, "tls" | "localNames" | "isRevoked"> {
  return { tls: current().material, localNames: () => current().names, isRevoked: revocations.isRevoked };
}

function tlsUrl({ names: [name = ""] }: ServerTls, port: number): string {
  return `https://${isIPv6(name) ? `[${name}]` : name}:${port}`;
}

function enrolmentSource(
  { store, clock, log, configuration }: Parts,
  tls: OpenServerTls | undefined,
  url: () => string | undefined,
): EnrolmentSource {
  const lifetimeMs = configuration.nodeCertificateSeconds * 1_000;
  return {
    ...(tls ? { issuer: { store, authority: tls.authority, lifetimeMs, now: () => clock.now() } } : {}),
    serverAuthority: () => tls?.current().authority,
    serverUrl: url,
    logger: log.child({ logger: "security" }),
  };
}

function kubeApi(
  { epoch, clock, random, process, controllers, log, operations }: Parts,
  survey: () => Promise<AgentReports>,
  resources: Resources,
): ReturnType<typeof createKubeApi> {
  return createKubeApi({
    resources,
    definitions: DEFINITIONS,
    epoch: epoch.number,
    clock,
    random,
    version: VERSION,
    decorate: decorateWith({ controllers, clock, operations }, survey),
    joinForRow: (object) => withLastOperation(object, operations.log),
    onWatchers: countWatchers(process),
    onListRefused: countRefusedLists(process),
    onSlowClient: noteSlowClients(process, log.child({ logger: "api" })),
  });
}

/** The objects, and in every Node what its agent said last. */
function liveResources({ resources, view, clock }: Parts, { heartbeats }: NodePulse): Resources {
  const poolRevision = newestRevision(view.pools, () => clock.monotonicMs());
  return withLiveNodes(resources, { heartbeats, poolRevision, now: () => clock.now() });
}

/** Joins into a pool that is read by itself what is not stored. */
function decorateWith(
  { controllers, clock, operations }: Pick<Parts, "controllers" | "clock" | "operations">,
  survey: () => Promise<AgentReports>,
): (object: KubeObject) => Promise<KubeObject> {
  const probeLedger = () => controllers()?.probeLedger;
  const last = operations.log;
  return (object) => decoratePool(object, { probeLedger, survey, last, now: () => clock.now() });
}

function metricsSource(
  { process, view, controllers }: Parts,
  nodes: NodeRequests,
  survey: () => Promise<AgentReports>,
) {
  return {
    process,
    pools: view.pools,
    probeLedger: () => controllers()?.probeLedger,
    counters: () => askCounters(nodes, view.pools.values()),
    agents: async () => (await survey()).agents,
  };
}

function healthChecks({ signal, store, tasks }: Parts): HealthChecks {
  return {
    live: [{ name: "ping", check: () => undefined }],
    ready: [
      { name: "shutdown", check: () => (signal.aborted ? "the server ends" : undefined) },
      { name: "store", check: async () => void (await store.revision()) },
      ...tasks.map(({ name, problem }) => ({ name, check: problem })),
    ],
  };
}

/** Says which address is taken, and what to do about it. */
export function explainListenFailure(failure: unknown): unknown {
  const { cause } = failure as { cause?: NodeJS.ErrnoException & { address?: string; port?: number } };
  if (!(failure instanceof ParasausError) || cause?.code !== "EADDRINUSE") return failure;
  return new ParasausError(
    "Unavailable",
    `Cannot listen on ${cause.address}:${cause.port}: another program does already; choose another port with --listen`,
    { cause: failure },
  );
}
