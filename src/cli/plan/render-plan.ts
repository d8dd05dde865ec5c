import {
  definitionFor,
  type FieldChange,
  type Plan,
  type PlannedMember,
  type PlannedObject,
  type PlannedOutcome,
  type PlannedTraffic,
} from "../../model/index.ts";
import type { Manifest } from "../apply/manifest.ts";
import { qualifiedName } from "../client/kinds.ts";
import { formatSeconds } from "../output/age.ts";
import { renderTable } from "../output/table.ts";

const OUTCOMES: readonly PlannedOutcome[] = ["created", "changed", "deleted", "unchanged", "refused"];

/** A plan as people read it. */
export function renderPlan(plan: Plan, manifests: readonly Pick<Manifest, "where" | "locate">[]): string {
  const blocks = plan.objects.map((object) => {
    const { documentIndex } = object;
    return objectBlock(object, documentIndex === undefined ? undefined : manifests[documentIndex]);
  });
  return `${blocks.join("")}${summaryOf(plan)}`;
}

function objectBlock(
  object: PlannedObject,
  manifest: Pick<Manifest, "where" | "locate"> | undefined,
): string {
  const lines = [
    ...object.changes.map(changeLine),
    ...refusalLines(object, manifest),
    ...object.warnings.map((warning) => `  warning: ${warning}`),
  ];
  const origin = object.service === undefined ? "" : ` (of service/${object.service})`;
  const head = `${nameOf(object)} ${object.outcome}${origin}`;
  const traffic = object.traffic ? trafficBlock(object.traffic) : "";
  return `${[head, ...lines].join("\n")}\n${traffic}`;
}

function nameOf({ apiVersion, kind, name }: PlannedObject): string {
  const definition = definitionFor(apiVersion, kind);
  return definition ? qualifiedName(definition, name) : `${kind.toLowerCase() || "object"}/${name}`;
}

function changeLine({ field, before, after }: FieldChange): string {
  return `  ${field}: ${textOf(before)} -> ${textOf(after)}`;
}

function textOf(value: unknown): string {
  if (value === undefined) return "(none)";
  return typeof value === "string" ? value : JSON.stringify(value);
}

function refusalLines(
  { refusal }: PlannedObject,
  manifest: Pick<Manifest, "where" | "locate"> | undefined,
): readonly string[] {
  if (!refusal) return [];
  if (refusal.fields.length === 0) return [`  ${refusal.message}`];
  return refusal.fields.map(({ field, message }) => {
    const line = manifest?.locate(field);
    return `  ${field}: ${message}${line === undefined ? "" : ` (${line})`}`;
  });
}

const HEADINGS = ["MEMBER", "NEW FLOWS", "STATE", "KEPT", "DRAINED", "CUT"];

function trafficBlock({ address, members, unknownNodes }: PlannedTraffic): string {
  const moved = address ? `  address: ${address.before ?? "(none)"} -> ${address.after ?? "(none)"}\n` : "";
  const table = members.length === 0 ? "" : indent(renderTable(HEADINGS, members.map(memberRow)));
  return `${moved}${table}${unknownNodes.map((node) => `  unknown for node ${node}\n`).join("")}`;
}

function memberRow(member: PlannedMember): readonly string[] {
  const { before, after, drainSeconds, shareOnceProbed } = member;
  const share = `${percentOf(before?.share)} -> ${percentOf(after?.share)}`;
  const [was, is] = [before?.disposition ?? "(none)", after?.disposition ?? "(none)"];
  const limit = drainSeconds === undefined ? "" : ` (at most ${formatSeconds(drainSeconds)})`;
  return [
    member.member,
    share + (shareOnceProbed === undefined ? "" : ` (${percentOf(shareOnceProbed)} once probed)`),
    was === is ? is : `${was} -> ${is}`,
    String(member.keptCount),
    `${member.drainedCount}${limit}`,
    String(member.cutCount),
  ];
}

function percentOf(share: number | undefined): string {
  return share === undefined ? "-" : `${Math.round(share * 1_000) / 10} %`;
}

function indent(text: string): string {
  return text.replace(/^(?=.)/gm, "  ");
}

function summaryOf({ objects, keptCount, drainedCount, cutCount, unknownNodes }: Plan): string {
  const counts = OUTCOMES.flatMap((outcome) => {
    const count = objects.filter((object) => object.outcome === outcome).length;
    return count === 0 ? [] : [`${count} ${outcome}`];
  });
  const unknown = unknownNodes.length === 0 ? "" : `; unknown for node ${unknownNodes.join(", ")}`;
  const flows = `${keptCount} kept, ${drainedCount} drained, ${cutCount} cut${unknown}`;
  return `Plan: ${counts.join(", ")}. Open flows of what changes: ${flows}\n`;
}
