import { formatHostPort } from "../../foundation/index.ts";
import {
  type CompleteMember,
  completeMember,
  formatConnectAddress,
  formatDurationMs,
  type MemberCounters,
  type MemberStatus,
  type Pool,
  type PoolMember,
  parseDurationMs,
} from "../../model/index.ts";
import { formatAge } from "../output/age.ts";
import { fact, type Part } from "./layout.ts";

/** What is particular to a Pool. */
export function describePool(pool: Pool, traffic: readonly MemberCounters[], now: Date): readonly Part[] {
  const { spec, status } = pool;
  const affinity = spec.sessionAffinity;
  return [
    fact("Address Pool", spec.addressPool),
    fact(
      "Connect Addresses",
      (status?.connectAddresses ?? []).map(
        (address) =>
          `${formatConnectAddress({ ...address, ip: address.ip === "*" ? "<nodes>" : address.ip })}/${address.protocol}`,
      ),
    ),
    fact("Scheduler", spec.scheduler),
    fact(
      "Forwarding",
      spec.guePort === undefined ? spec.forwarding : `${spec.forwarding}, GUE to port ${spec.guePort}`,
    ),
    fact("Session Affinity", affinity.type === "None" ? "None" : affinityText(affinity)),
    ...(spec.onePacketScheduling ? [fact("One Packet", "each datagram by itself")] : []),
    fact("Drain", `${spec.drainSeconds}s`),
    fact("On Member Down", spec.onMemberDown),
    fact("Fail Open", `${spec.failOpen.threshold}%`),
    fact("Health Check", describeCheck(pool)),
    {
      kind: "table",
      name: "Members",
      headings: ["ADDRESS", "WEIGHT", "STATE", "VERDICT", "SINCE", "PROBES", "REASON"],
      rows: spec.members
        .map(completeMember)
        .map((member) => memberRow(member, findStatus(status?.members, member), now)),
    },
    {
      kind: "table",
      name: "Traffic",
      headings: ["ADDRESS", "NOW", "SO FAR", "PACKETS IN", "BYTES IN", "PACKETS OUT", "BYTES OUT"],
      rows: traffic.map(trafficRow),
    },
  ];
}

function affinityText({ type, timeoutSeconds, prefixLength }: Pool["spec"]["sessionAffinity"]): string {
  const clients = prefixLength === undefined ? "" : `, clients of one /${prefixLength} together`;
  return `${type} for ${timeoutSeconds}s${clients}`;
}

const TIMES = new Set(["interval", "fastInterval", "downInterval", "timeout"]);

function describeCheck({ spec }: Pool): string {
  const { type, ...rest } = spec.healthCheck;
  const details = Object.entries(rest)
    .filter(([, value]) => typeof value !== "object")
    .map(([name, value]) => `${name} ${TIMES.has(name) ? timeText(value) : String(value)}`);
  const { http } = spec.healthCheck;
  const request = http ? [`${http.method} ${http.path} expecting ${http.expect.join(",")}`] : [];
  return type === "none" ? "none" : [type, ...request, ...details].join(", ");
}

/** A bare number means seconds. */
function timeText(written: unknown): string {
  const ms = parseDurationMs(written);
  return ms === undefined ? String(written) : formatDurationMs(ms);
}

function findStatus(
  statuses: readonly MemberStatus[] | undefined,
  { ip, port }: PoolMember,
): MemberStatus | undefined {
  return statuses?.find((status) => status.ip === ip && status.port === port);
}

function memberRow(member: CompleteMember, status: MemberStatus | undefined, now: Date): readonly string[] {
  const drain = member.drainSeconds === undefined ? "" : ` (${member.drainSeconds}s)`;
  return [
    formatHostPort(member.ip, member.port),
    String(member.weight),
    `${member.state}${drain}`,
    status?.verdict ?? "unchecked",
    status ? formatAge(status.since, now) : "-",
    status?.probes ? `${status.probes.successes} ok, ${status.probes.failures} failed` : "-",
    status?.reason || "-",
  ];
}

function trafficRow(row: MemberCounters): readonly string[] {
  const counts = [
    row.activeConnections,
    row.totalConnections,
    row.packetsIn,
    row.bytesIn,
    row.packetsOut,
    row.bytesOut,
  ];
  return [formatHostPort(row.ip, row.port), ...counts.map(String)];
}
