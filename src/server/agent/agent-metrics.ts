import { createHttpServer } from "../../api/index.ts";
import type { ListenAddress } from "../../configuration/index.ts";
import type { Driver } from "../../dataplane/index.ts";
import { type Clock, type Logger, VERSION } from "../../foundation/index.ts";
import type { AgentStatus } from "../../model/index.ts";
import type { Resources } from "../../resources/index.ts";
import { agentFamilies } from "../metrics/agent-families.ts";
import { renderFamilies } from "../metrics/exposition.ts";
import { createProcessMetrics } from "../metrics/registry.ts";
import { trafficFamilies } from "../metrics/traffic-families.ts";
import { followPools } from "../pool-view.ts";

/** What a lone agent's metrics are read from. */
export interface AgentMetricsOptions {
  /** Port 0: nothing is served. */
  readonly listen: ListenAddress;
  readonly driver: Driver;
  readonly status: () => AgentStatus | undefined;
  readonly resources: Resources;
  /** When the node's certificate ends; undefined without one. */
  readonly certificateEnd: () => Date | undefined;
  readonly clock: Clock;
  readonly log: Logger;
  readonly signal: AbortSignal;
}

/** Serves `/metrics`, `/livez`, `/readyz` of one agent. */
export async function serveAgentMetrics(options: AgentMetricsOptions): Promise<AsyncDisposable> {
  const { listen, driver, status, resources, certificateEnd, clock, log, signal } = options;
  if (listen.port === 0) return { [Symbol.asyncDispose]: async () => undefined };
  const process = createProcessMetrics();
  const { pools } = followPools(resources, { clock, logger: log, signal });
  const nameOf = (uid: string) => {
    const metadata = pools.get(uid)?.metadata;
    return metadata && { namespace: metadata.namespace ?? "", name: metadata.name };
  };
  const showEnd = process.gauge(
    "parasaus_certificate_end_timestamp_seconds",
    "When the certificate ends, seconds since 1970.",
    ["certificate"],
  );
  const render = async () => {
    const end = certificateEnd();
    if (end) showEnd({ certificate: "node" }, Math.floor(end.getTime() / 1_000));
    const agent = status();
    const counters = await driver.readCounters();
    const families = [
      ...trafficFamilies(agent ? [{ node: agent.nodeName, counters }] : [], nameOf),
      ...agentFamilies(agent ? [agent] : []),
    ];
    return {
      contentType: "text/plain; version=0.0.4; charset=utf-8",
      body: (await process.render()) + (await renderFamilies(families)),
    };
  };
  const hasState = () => {
    const source = status()?.source ?? "none";
    return source === "none" ? "no desired state yet" : undefined;
  };
  return createHttpServer(
    {
      logger: log,
      version: VERSION,
      health: {
        live: [{ name: "ping", check: () => undefined }],
        ready: [{ name: "state", check: hasState }],
      },
      metrics: render,
      // Names of pools and counts, no secrets: whoever may reach the address may read them.
      believes: "anybody",
      routes: [],
    },
    listen,
  );
}
