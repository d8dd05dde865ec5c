import { createHash } from "node:crypto";
import type { DesiredPool, FlowPolicy } from "../dataplane/index.ts";
import { ParasausError } from "../foundation/index.ts";
import type { Protocol } from "../model/index.ts";
import { FIRST_EPOCH } from "../resources/index.ts";
import type { KeptEntry } from "./desired-state.ts";
import type { KeptShrink } from "./shrink-guard.ts";

const FORMAT = "parasaus-snapshot";
/** Raised when a reader of this version could not read what is written. */
const FORMAT_VERSION = 1;

/** What a snapshot says of itself. */
export interface SnapshotHeader {
  readonly nodeName: string;
  /** Version of the agent that wrote it. */
  readonly agentVersion: string;
  /** Which store the revision belongs to: uid of its namespace `default`; absent where that is not known. */
  readonly storeUid?: string;
  /** How often that store was restored, counted from 1; files of older agents lack it. */
  readonly epoch: number;
  /** Resource revision, within the epoch. */
  readonly revision: string;
  /** Since when pools are held that the server no longer has; absent where none is. */
  readonly shrink?: KeptShrink;
}

/** A whole snapshot. */
export interface Snapshot extends SnapshotHeader {
  readonly entries: readonly KeptEntry[];
}

/**
 * The file's lines: a header, one array per pool, and a trailer with the number of pools and the SHA-256 of everything
 * before it, so that a file that was cut short or changed is recognised.
 */
export function* encodeSnapshot(header: SnapshotHeader, entries: Iterable<KeptEntry>): Generator<string> {
  const checksum = createHash("sha256");
  let count = 0;
  const first = `${JSON.stringify({ format: FORMAT, version: FORMAT_VERSION, ...header })}\n`;
  checksum.update(first);
  yield first;
  for (const entry of entries) {
    const line = `${JSON.stringify(encodeEntry(entry))}\n`;
    checksum.update(line);
    yield line;
    count += 1;
  }
  yield `${JSON.stringify({ count, sha256: checksum.digest("hex") })}\n`;
}

/**
 * Reads a snapshot file.
 *
 * @param text The whole file.
 * @throws ParasausError `Invalid` when it is corrupt, of a newer format or another node's
 */
export function decodeSnapshot(text: string, nodeName: string): Snapshot {
  const bodyEnd = text.lastIndexOf("\n", text.length - 2) + 1;
  const body = text.slice(0, bodyEnd);
  const lines = body.split("\n").slice(0, -1);
  const header = parse(lines[0]);
  if (header["format"] !== FORMAT) throw refusal("it is no snapshot of an agent");
  if (header["version"] !== FORMAT_VERSION) {
    throw refusal(`its format is version ${header["version"]}, this agent reads ${FORMAT_VERSION}`);
  }
  const trailer = parse(text.slice(bodyEnd));
  const checksum = createHash("sha256").update(body).digest("hex");
  if (trailer["sha256"] !== checksum || trailer["count"] !== lines.length - 1) {
    throw refusal("its checksum does not fit its content");
  }
  if (header["nodeName"] !== nodeName) {
    throw refusal(`it belongs to node "${header["nodeName"]}", this is "${nodeName}"`);
  }
  return {
    nodeName,
    agentVersion: String(header["agentVersion"]),
    ...(typeof header["storeUid"] === "string" ? { storeUid: header["storeUid"] } : {}),
    epoch: Number(header["epoch"] ?? FIRST_EPOCH),
    revision: String(header["revision"]),
    ...(header["shrink"] ? { shrink: header["shrink"] as KeptShrink } : {}),
    entries: lines.slice(1).map((line) => decodeEntry(JSON.parse(line))),
  };
}

function refusal(why: string, cause?: unknown): ParasausError {
  return new ParasausError("Invalid", `Cannot start from the snapshot: ${why}`, { cause });
}

function parse(line: string | undefined): Record<string, unknown> {
  try {
    return JSON.parse(line ?? "");
  } catch (cause) {
    throw refusal("it is cut short or no JSON", cause);
  }
}

type PoolLine = readonly [
  uid: string,
  addresses: readonly (readonly [string, number, Protocol, lastPort?: number])[],
  scheduler: DesiredPool["scheduler"],
  forwarding: DesiredPool["forwarding"],
  affinitySeconds: number,
  drainSeconds: number,
  isFailingOpen: 0 | 1,
  members: readonly (readonly [
    string,
    number,
    number,
    DesiredPool["members"][number]["disposition"],
    number,
  ])[],
];

/** What few pools have. */
type RareLine = Pick<FlowPolicy, "affinityPrefixLength" | "isOnePacket" | "guePort">;

/** The last two are absent in files of older agents, and where they would say nothing. */
type EntryLine = readonly [...PoolLine, isHeld?: 0 | 1, rare?: RareLine];

function encodeEntry({ desired, isFailingOpen, isHeld }: KeptEntry): EntryLine {
  const line: PoolLine = [
    desired.uid,
    desired.addresses.map(({ ip, port, protocol, lastPort }) =>
      lastPort === undefined ? ([ip, port, protocol] as const) : ([ip, port, protocol, lastPort] as const),
    ),
    desired.scheduler,
    desired.forwarding,
    desired.affinitySeconds,
    desired.drainSeconds,
    isFailingOpen ? 1 : 0,
    desired.members.map(
      (member) => [member.ip, member.port, member.weight, member.disposition, member.drainSeconds] as const,
    ),
  ];
  const rare = rareOf(desired);
  if (Object.keys(rare).length > 0) return [...line, isHeld ? 1 : 0, rare];
  return isHeld ? [...line, 1] : line;
}

function rareOf({ affinityPrefixLength, isOnePacket, guePort }: RareLine): RareLine {
  return {
    ...(guePort === undefined ? {} : { guePort }),
    ...(affinityPrefixLength === undefined ? {} : { affinityPrefixLength }),
    ...(isOnePacket ? { isOnePacket } : {}),
  };
}

function decodeEntry(line: EntryLine): KeptEntry {
  const [
    uid,
    addresses,
    scheduler,
    forwarding,
    affinitySeconds,
    drainSeconds,
    isFailingOpen,
    members,
    isHeld,
    rare = {},
  ] = line;
  return {
    isFailingOpen: isFailingOpen === 1,
    ...(isHeld ? { isHeld: true } : {}),
    desired: {
      uid,
      addresses: addresses.map(([ip, port, protocol, lastPort]) => ({
        ...{ ip, port, protocol },
        ...(lastPort === undefined ? {} : { lastPort }),
      })),
      scheduler,
      forwarding,
      affinitySeconds,
      ...rareOf(rare),
      drainSeconds,
      members: members.map(([ip, port, weight, disposition, memberDrainSeconds]) => ({
        ip,
        port,
        weight,
        disposition,
        drainSeconds: memberDrainSeconds,
      })),
    },
  };
}
