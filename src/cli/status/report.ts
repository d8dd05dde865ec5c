import {
  type AgentStatus,
  findTableConflicts,
  type KubeObject,
  type Node,
  type Pool,
  type ServersOverview,
} from "../../model/index.ts";
import { formatAge } from "../output/age.ts";
import { renderTable } from "../output/table.ts";
import { type Attention, findAttention } from "./attention.ts";

/** Digits of a table hash that are shown. */
const HASH_DIGITS = 12;
/** Most nodes that a line names. */
const NAMED_COUNT = 5;

/** One part of the server and whether it works. */
export interface ServerCheck {
  readonly name: string;
  readonly ok: boolean;
  readonly message?: string;
}

/** Everything that `parasaus status` shows. */
export interface StatusReport {
  readonly server: { readonly url: string; readonly version: string; readonly ready: boolean };
  readonly checks: readonly ServerCheck[];
  /** What each server does for all of them. */
  readonly servers: ServersOverview["servers"];
  readonly nodes: readonly NodeReport[];
  readonly counts: Counts;
  readonly attention: readonly Attention[];
}

interface NodeReport {
  readonly name: string;
  /** 1-254. */
  readonly number: number | null;
  readonly driver: string;
  readonly ready: string;
  readonly revision: string;
  /** Revisions that the node is behind. */
  readonly lagRevisions: number | null;
  readonly pools: number | null;
  readonly tableHash: string;
  /** Entries in the flow table. */
  readonly flows: number | null;
  /** How busy the machine's processors are, 0-100. */
  readonly cpuPercent: number | null;
  readonly heartbeat: string;
}

interface Counts {
  readonly pools: number;
  readonly members: number;
  readonly membersUp: number;
  readonly services: number;
  readonly nodes: number;
}

/** What the report is made from. */
export interface StatusInput {
  readonly server: StatusReport["server"];
  readonly checks: readonly ServerCheck[];
  readonly overview: ServersOverview;
  readonly nodes: readonly KubeObject[];
  /** What the agents say now; a Node is as old as its last heartbeat. */
  readonly agents: readonly AgentStatus[];
  readonly pools: readonly KubeObject[];
  readonly services: readonly KubeObject[];
  /** Revision that the newest pool, service or endpoint was written at, or 0. */
  readonly revision: number;
  readonly now: Date;
}

/** Sums everything up. */
export function makeReport(input: StatusInput): StatusReport {
  const pools = input.pools as readonly Pool[];
  const verdicts = pools.flatMap(({ status }) => status?.members ?? []);
  return {
    server: input.server,
    checks: input.checks,
    servers: input.overview.servers,
    nodes: (input.nodes as readonly Node[]).map((node) =>
      reportNode(
        node,
        input.agents.find(({ nodeName }) => nodeName === node.metadata.name),
        input.revision,
      ),
    ),
    counts: {
      pools: pools.length,
      members: pools.reduce((sum, { spec }) => sum + spec.members.length, 0),
      membersUp: verdicts.filter(({ verdict }) => verdict === "up").length,
      services: input.services.length,
      nodes: input.nodes.length,
    },
    attention: [
      ...input.checks
        .filter(({ ok }) => !ok)
        .map(({ name, message }) => ({ object: name, message: message ?? "failed" })),
      ...workAttention(input.overview),
      ...tableAttention(input.agents),
      ...findAttention([...input.nodes, ...input.pools, ...input.services], input.now),
    ],
  };
}

function workAttention({ unled, freeShardCount }: ServersOverview): readonly Attention[] {
  const shards = { object: "circle-healthcheck", message: `${freeShardCount} shards are no server's` };
  return [
    ...unled.map((work) => ({ object: work, message: "no server leads in it" })),
    ...(freeShardCount > 0 ? [shards] : []),
  ];
}

function tableAttention(agents: readonly AgentStatus[]): readonly Attention[] {
  return findTableConflicts(agents).map(({ revision, tables }) => {
    const found = tables.map(({ hash, nodes }) => `${hash.slice(0, HASH_DIGITS)} on ${nameSome(nodes)}`);
    return { object: "nodes", message: `table hashes differ at revision ${revision}: ${found.join("; ")}` };
  });
}

function nameSome(names: readonly string[]): string {
  const more = names.length > NAMED_COUNT ? ` and ${names.length - NAMED_COUNT} more` : "";
  return `${names.slice(0, NAMED_COUNT).join(", ")}${more}`;
}

function reportNode(
  { metadata, status }: Node,
  agent: AgentStatus | undefined,
  revision: number,
): NodeReport {
  const applied = agent?.appliedRevision ?? status?.appliedRevision;
  const ready = status?.conditions?.find(({ type }) => type === "Ready");
  return {
    name: metadata.name,
    number: status?.number ?? null,
    driver: status?.driver ?? "",
    ready: ready ? ready.status : "Unknown",
    revision: applied ?? "",
    lagRevisions: applied === undefined ? null : Math.max(0, revision - Number(applied)),
    pools: agent?.poolCount ?? status?.poolCount ?? null,
    tableHash: agent?.tableHash ?? status?.tableHash ?? "",
    flows: agent?.flowEntryCount ?? status?.flowEntryCount ?? null,
    cpuPercent: agent?.cpuPercent ?? status?.cpuPercent ?? null,
    heartbeat: status?.heartbeat ?? "",
  };
}

/** The report for people. */
export function renderReport(report: StatusReport, now: Date): string {
  const { server, checks, servers, nodes, counts, attention } = report;
  const head: readonly (readonly [string, string])[] = [
    ["Server", `${server.url}, version ${server.version}, ${server.ready ? "ready" : "NOT READY"}`],
    ["Parts", checks.map(({ name, ok }) => `${name} ${ok ? "ok" : "FAILED"}`).join(", ") || "unknown"],
    [
      "Objects",
      `${count(counts.pools, "pool")} (${counts.membersUp} of ${count(counts.members, "member")} up), ` +
        `${count(counts.services, "service")}, ${count(counts.nodes, "node")}`,
    ],
  ];
  const lines = head.map(([name, value]) => `${`${name}:`.padEnd(10)}${value}\n`).join("");
  const tables = [renderServers(servers), renderNodes(nodes, now), renderAttention(attention)];
  return [lines, ...tables].join("\n");
}

function count(number: number, noun: string): string {
  return `${number} ${noun}${number === 1 ? "" : "s"}`;
}

function renderServers(servers: StatusReport["servers"]): string {
  return renderTable(
    ["SERVER", "SHARDS", "LEADS"],
    servers.map(({ id, shardCount, leads }) => [id, String(shardCount), leads.join(", ") || "-"]),
  );
}

function renderNodes(nodes: readonly NodeReport[], now: Date): string {
  if (nodes.length === 0) return "No node has reported: nothing forwards\n";
  return renderTable(
    ["NODE", "NUMBER", "DRIVER", "READY", "REVISION", "LAG", "POOLS", "HASH", "FLOWS", "CPU", "HEARTBEAT"],
    nodes.map((node) => [
      node.name,
      orDash(node.number),
      node.driver || "-",
      node.ready,
      node.revision || "-",
      orDash(node.lagRevisions),
      orDash(node.pools),
      node.tableHash.slice(0, HASH_DIGITS) || "-",
      orDash(node.flows),
      orDash(node.cpuPercent, "%"),
      node.heartbeat === "" ? "-" : `${formatAge(node.heartbeat, now)} ago`,
    ]),
  );
}

function orDash(value: number | null, unit = ""): string {
  return value === null ? "-" : `${value}${unit}`;
}

function renderAttention(attention: readonly Attention[]): string {
  if (attention.length === 0) return "Nothing needs attention\n";
  return `Needs attention:\n${attention.map(({ object, message }) => `  ${object}: ${message}\n`).join("")}`;
}
