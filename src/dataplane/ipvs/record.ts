import {
  appendFileSync,
  existsSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import path from "node:path";
import { ParasausError } from "../../foundation/index.ts";
import type { PoolEntry } from "./programme.ts";
import type { SyncDaemon } from "./table.ts";

/** Raised when a reader of the old one would misunderstand the new one. */
const FORMAT = 1;
/** Lines beyond those that are needed, before the file is written anew. */
const SPARE_LINES = 20_000;

/** One line of the record; of several about the same thing the last one holds. */
export type RecordLine =
  | { readonly format: number; readonly kernel: string }
  | { readonly uid: string; readonly entry: PoolEntry | null }
  | { readonly nodeAddresses: readonly string[] }
  /** Services that are being deleted, by `placeKey`, and those that are gone. */
  | { readonly leaving: readonly string[] }
  | { readonly left: readonly string[] }
  /** Synchronisation daemons that were started, all of them. */
  | { readonly daemons: readonly SyncDaemon[] }
  /** Routes and settings of the kernel as they were before Parasaus changed them. */
  | { readonly original: Readonly<Record<string, string>> };

/** What the record says. */
export interface Recorded {
  readonly entries: ReadonlyMap<string, PoolEntry>;
  readonly nodeAddresses: readonly string[];
  /** Services that were about to be deleted, by `placeKey`. */
  readonly leaving: ReadonlySet<string>;
  /** Settings of the kernel before Parasaus changed them. */
  readonly original: Readonly<Record<string, string>>;
  /** Synchronisation daemons that Parasaus started. */
  readonly daemons: readonly SyncDaemon[];
}

/**
 * Which of the kernel's services are ours. IPVS keeps no owner, so a file does: in `/run`, which ends with the kernel
 * that it is about, written before the kernel is, so that a process killed at any moment leaves no service unowned.
 */
export interface OwnershipRecord {
  readonly recorded: Recorded;
  /** Adds lines; they are in the file when this returns. */
  append(lines: readonly RecordLine[]): void;
}

/** Where the record of a node is. */
export function recordFileFor({ node, recordFolder = "/run/parasaus/ipvs" }: RecordPlace): string {
  return path.join(recordFolder, `${node.replace(/[^A-Za-z0-9_-]/g, "_")}.jsonl`);
}

/** What names a record. */
export interface RecordPlace {
  /** Name of the node. */
  readonly node: string;
  /** Default `/run/parasaus/ipvs`. */
  readonly recordFolder?: string;
}

/**
 * Opens the record. One about another kernel (an earlier boot, another network namespace) owns nothing here.
 *
 * @param kernel Names this kernel and this network namespace.
 * @throws ParasausError `KernelError` when the file cannot be read, understood or written
 */
export function openRecord(file: string, kernel: string): OwnershipRecord {
  try {
    const text = existsSync(file) ? readFileSync(file, "utf8") : "";
    const lines = parseLines(text);
    const recorded = readLines(lines, kernel);
    let lineCount = lines.length;
    if (recorded === undefined || !text.endsWith("\n"))
      lineCount = rewrite(file, kernel, recorded ?? NOTHING);
    const current = createState(recorded ?? NOTHING);
    return {
      recorded: current,
      append(fresh) {
        if (fresh.length === 0) return;
        for (const line of fresh) current.take(line);
        lineCount += fresh.length;
        const isLong = lineCount > 2 * current.entries.size + SPARE_LINES;
        // Somebody who removed the file must not make us forget what is ours.
        if (isLong || !existsSync(file)) lineCount = rewrite(file, kernel, current);
        else appendFileSync(file, fresh.map((line) => `${JSON.stringify(line)}\n`).join(""));
      },
    };
  } catch (cause) {
    if (cause instanceof ParasausError) throw cause;
    throw new ParasausError(
      "KernelError",
      `Cannot keep the record of what is ours in IPVS: "${file}" cannot be read or written`,
      { cause },
    );
  }
}

/** Reads a record without opening it. @returns undefined where there is none about this kernel */
export function readRecord(file: string, kernel: string): Recorded | undefined {
  return existsSync(file) ? readLines(parseLines(readFileSync(file, "utf8")), kernel) : undefined;
}

/** Removes the record: nothing in this kernel is ours any more. */
export function removeRecord(file: string): void {
  rmSync(file, { force: true });
}

const NOTHING: Recorded = {
  entries: new Map(),
  nodeAddresses: [],
  leaving: new Set(),
  original: {},
  daemons: [],
};

/** A process that was killed may leave half a line at the end, about something that it had not begun. */
function parseLines(text: string): RecordLine[] {
  const whole = text.slice(0, text.lastIndexOf("\n") + 1);
  return whole.split("\n").flatMap((line) => (line === "" ? [] : [JSON.parse(line) as RecordLine]));
}

function readLines(lines: readonly RecordLine[], kernel: string): Recorded | undefined {
  const [header, ...rest] = lines;
  if (header === undefined || !("format" in header) || header.kernel !== kernel) return undefined;
  if (header.format !== FORMAT) {
    throw new ParasausError(
      "KernelError",
      `Cannot read the record of what is ours in IPVS: it has format ${header.format}, this program needs ${FORMAT}`,
    );
  }
  const state = createState(NOTHING);
  for (const line of rest) state.take(line);
  return state;
}

function createState(from: Recorded) {
  const entries = new Map(from.entries);
  const leaving = new Set(from.leaving);
  const { nodeAddresses, original, daemons } = from;
  const state = { entries, leaving, nodeAddresses, original, daemons, take };
  return state;

  function take(line: RecordLine): void {
    if ("uid" in line) takeEntry(line.uid, line.entry);
    else if ("nodeAddresses" in line) state.nodeAddresses = line.nodeAddresses;
    else if ("daemons" in line) state.daemons = line.daemons;
    else if ("original" in line) state.original = { ...state.original, ...line.original };
    else takeServices(line);
  }

  function takeEntry(uid: string, entry: PoolEntry | null): void {
    if (entry) entries.set(uid, entry);
    else entries.delete(uid);
  }

  function takeServices(line: RecordLine): void {
    if ("leaving" in line) for (const place of line.leaving) leaving.add(place);
    if ("left" in line) for (const place of line.left) leaving.delete(place);
  }
}

function rewrite(file: string, kernel: string, recorded: Recorded): number {
  const lines: RecordLine[] = [
    { format: FORMAT, kernel },
    { original: recorded.original },
    { nodeAddresses: recorded.nodeAddresses },
    { leaving: [...recorded.leaving] },
    { daemons: recorded.daemons },
    ...[...recorded.entries].map(([uid, entry]) => ({ uid, entry })),
  ];
  mkdirSync(path.dirname(file), { recursive: true, mode: 0o700 });
  writeFileSync(`${file}.new`, lines.map((line) => `${JSON.stringify(line)}\n`).join(""), { mode: 0o600 });
  renameSync(`${file}.new`, file);
  return lines.length;
}
