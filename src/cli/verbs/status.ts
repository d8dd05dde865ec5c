import { nodeDefinition, poolDefinition, serviceDefinition } from "../../model/index.ts";
import { connect } from "../client/connection.ts";
import { EXIT } from "../output/errors.ts";
import { writeStructured } from "../output/structured.ts";
import { makeReport, renderReport } from "../status/report.ts";
import { type Invocation, textOption, type Verb } from "../verb.ts";

/** `parasaus status`. */
export const status: Verb = {
  arguments: [],
  options: [
    { flags: "-o, --output <format>", description: "output format", choices: ["text", "json", "yaml"] },
  ],
  programs: ["client"],
  examples: [
    ["Is everything well?", "parasaus status"],
    ["How many things need attention, for a script", "parasaus status -o json | jq '.attention | length'"],
  ],
  run: showStatus,
};

async function showStatus(invocation: Invocation): Promise<number> {
  const { terminal } = invocation;
  const { resources, url, serverVersion, readiness, agents, servers } = connect(invocation);
  const [version, { isReady, checks }, overview, reports, nodes, pools, services] = await Promise.all([
    serverVersion(),
    readiness(),
    servers(),
    agents(),
    resources.list(nodeDefinition),
    resources.list(poolDefinition),
    resources.list(serviceDefinition),
  ]);
  const now = new Date();
  const report = makeReport({
    server: { url, version, ready: isReady },
    checks,
    overview,
    nodes: nodes.items,
    agents: reports.agents,
    pools: pools.items,
    services: services.items,
    revision: Math.max(0, ...pools.items.map(({ metadata }) => Number(metadata.resourceVersion))),
    now,
  });
  const format = textOption(invocation, "output") ?? "text";
  if (format === "text") terminal.stdout.write(renderReport(report, now));
  else await writeStructured(terminal.stdout, format, report);
  return EXIT.ok;
}
