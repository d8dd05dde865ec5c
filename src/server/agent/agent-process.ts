import { release } from "node:os";
import { httpNodeRequests, type NodeIdentity, openNodeIdentity, runAgent } from "../../agent/index.ts";
import { type Configuration, type LoadedConfiguration, readSettingFile } from "../../configuration/index.ts";
import { type Clock, hasCode, type Terminal, VERSION } from "../../foundation/index.ts";
import type { AgentStatus } from "../../model/index.ts";
import { createNodeTransport, createRemoteResources } from "../../resources/remote/index.ts";
import { beginProgram } from "../program.ts";
import { serveAgentMetrics } from "./agent-metrics.ts";
import { followNodeAddresses } from "./node-addresses.ts";
import { type OpenedDriver, openDriver } from "./open-driver.ts";
import { reportUnable } from "./report-unable.ts";

/** How long forwarding waits for the first step of enrolment, milliseconds. */
const FIRST_ENROLMENT_MS = 2_000;

/**
 * Runs one node until the signal aborts: `parasaus agent`. A machine that cannot forward says so in its Node instead.
 *
 * @returns The exit code.
 */
export async function runAgentProcess(loaded: LoadedConfiguration, terminal: Terminal): Promise<number> {
  const { log: root, clock, random } = beginProgram(loaded, terminal);
  const { values: configuration } = loaded;
  const { nodeName, server: servers } = configuration;
  const { signal } = terminal;
  const log = root.child({ logger: "agent" });
  const identity = await openNodeIdentity({
    ...{ nodeName, servers, clock, random, signal },
    directory: configuration.snapshot,
    tokenFile: configuration.tokenFile,
    ca: configuration.ca === undefined ? undefined : readSettingFile(configuration.ca, "--ca"),
    logger: log,
  });
  const { tls } = identity;
  await beginToKeep(identity, clock, signal);
  const headers = knownBy(configuration);
  using transport = createNodeTransport({ servers, tls, headers });
  const resources = createRemoteResources({
    transport,
    clock,
    random,
    userAgent: `parasaus-agent/${VERSION} (${nodeName})`,
  });
  const opened = await openOrReason(() =>
    openDriver({
      configuration,
      programFile: terminal.self.at(-1) ?? "",
      log,
      clock,
    }),
  );
  if (typeof opened === "string") {
    log.error("this machine does not forward", { reason: opened });
    await reportUnable({ resources, nodeName, reason: opened, clock, log, signal });
    return 0;
  }
  const { fallback, predecessor } = opened;
  await using driver = opened.driver;
  await using _predecessor = predecessor;
  if (fallback !== undefined) log.warn("another driver forwards", { driver: driver.name, reason: fallback });
  let readStatus: (() => AgentStatus) | undefined;
  await using _metrics = await serveAgentMetrics({
    listen: configuration.metricsListen,
    driver,
    status: () => readStatus?.(),
    resources,
    certificateEnd: () => identity.validTo,
    clock,
    log,
    signal,
  });
  await runAgent({
    resources,
    driver,
    nodeName,
    addresses:
      configuration.address.length > 0
        ? configuration.address
        : followNodeAddresses(configuration.devices, clock),
    snapshotDirectory: configuration.snapshot,
    version: VERSION,
    kernel: { release: release(), features: { ebpf: driver.name === "ebpf" } },
    server: servers[0] ?? "",
    ...(fallback === undefined ? {} : { driverFallback: fallback }),
    ...(predecessor === undefined ? {} : { predecessor }),
    driverDrainSeconds: configuration.driverDrainSeconds,
    leaveServer: transport.leaveServer,
    certificateTrouble: () => identity.trouble,
    requests: httpNodeRequests({ servers, tls, headers }),
    onStatus: (read) => {
      readStatus = read;
    },
    clock,
    logger: log,
    random,
    signal,
  });
  log.info("agent ended, the kernel goes on forwarding");
  return 0;
}

/** What servers know the agent by without a certificate. */
function knownBy({ agentTokenFile, nodeName }: Configuration): Readonly<Record<string, string>> {
  if (agentTokenFile === undefined) return {};
  const token = readSettingFile(agentTokenFile, "--agent-token-file").trim();
  return { authorization: `Bearer ${token}`, "x-parasaus-node": nodeName };
}

/** Keeps the node's identity from now on, and gives it a moment to enrol, so that the first requests are not refused. */
async function beginToKeep(identity: NodeIdentity, clock: Clock, signal: AbortSignal): Promise<void> {
  const begun = new Promise<void>((resolve) => void identity.keep(resolve));
  await Promise.race([begun, clock.sleep(FIRST_ENROLMENT_MS, signal).catch(() => undefined)]);
}

/** The driver, or why there is none. */
async function openOrReason(open: () => Promise<OpenedDriver>): Promise<OpenedDriver | string> {
  try {
    return await open();
  } catch (failure) {
    if (hasCode(failure, "KernelUnsupported")) return failure.message;
    throw failure;
  }
}
