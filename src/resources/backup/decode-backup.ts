import { createHash } from "node:crypto";
import { ParasausError } from "../../foundation/index.ts";
import {
  BACKUP_FORMAT,
  BACKUP_FORMAT_VERSION,
  type Backup,
  type BackupEntry,
  type BackupHeader,
  trailerLine,
} from "./backup.ts";

const LINE_END = 0x0a;
/** A foreign file may have no lines at all. */
const MAX_LINE_BYTES = 32 * 1024 * 1024;
const MAX_HEADER_BYTES = 4_096;

/**
 * Reads a backup and compares it with its own checksum.
 *
 * @param name What the refusals call it.
 * @throws ParasausError `Invalid` when it is no backup, of a newer format, cut short, or not what was written
 */
export async function decodeBackup(chunks: AsyncIterable<Uint8Array>, name: string): Promise<Backup> {
  const entries: BackupEntry[] = [];
  return { ...(await readBackup(chunks, name, (entry) => entries.push(entry))), entries };
}

/**
 * Compares a backup with its own checksum and keeps nothing of it.
 *
 * @param name What the refusals call it.
 * @throws ParasausError `Invalid` as {@link decodeBackup} does
 */
export async function checkBackup(chunks: AsyncIterable<Uint8Array>, name: string): Promise<BackupHeader> {
  return (await readBackup(chunks, name, () => undefined)).header;
}

async function readBackup(
  chunks: AsyncIterable<Uint8Array>,
  name: string,
  onEntry: (entry: BackupEntry) => void,
): Promise<Omit<Backup, "entries">> {
  const reader = new BackupReader(name, onEntry);
  for await (const line of linesOf(chunks, reader)) reader.take(line);
  return reader.finish();
}

class BackupReader {
  readonly #name: string;
  readonly #checksum = createHash("sha256");
  readonly #onEntry: (entry: BackupEntry) => void;
  #count = 0;
  #lastKey = "";
  #header: BackupHeader | undefined;
  #sha256: string | undefined;

  constructor(name: string, onEntry: (entry: BackupEntry) => void) {
    this.#name = name;
    this.#onEntry = onEntry;
  }

  take(line: Buffer): void {
    if (!this.#header) this.#header = this.#readHeader(line);
    else if (this.#count < this.#header.count) this.#takeEntry(line);
    else {
      this.#readTrailer(line, this.#header);
      return;
    }
    this.#checksum.update(line);
  }

  finish(): Omit<Backup, "entries"> {
    const header = this.#header;
    if (!header) throw this.refuse("it is no backup of Parasaus");
    if (this.#sha256 === undefined) {
      throw this.refuse(`it is cut short after ${this.#count} of ${header.count} objects`);
    }
    return { header, sha256: this.#sha256 };
  }

  /** What is wrong with a line that grows too long. */
  refuseLongLine(): ParasausError {
    return this.#header ? this.#damaged() : this.refuse("it is no backup of Parasaus");
  }

  /** How long a line may be now, bytes. */
  get lineLimitBytes(): number {
    return this.#header ? MAX_LINE_BYTES : MAX_HEADER_BYTES;
  }

  refuse(why: string): ParasausError {
    return new ParasausError("Invalid", `Cannot use the backup "${this.#name}": ${why}`);
  }

  #readHeader(line: Buffer): BackupHeader {
    const { format, formatVersion, ...header } = parseObject(line) ?? {};
    if (format !== BACKUP_FORMAT) throw this.refuse("it is no backup of Parasaus");
    if (formatVersion !== BACKUP_FORMAT_VERSION) {
      throw this.refuse(
        `its format is version ${formatVersion}, this program reads ${BACKUP_FORMAT_VERSION}`,
      );
    }
    if (!isHeader(header)) throw this.#damaged();
    return header;
  }

  #takeEntry(line: Buffer): void {
    const { key, value, ...more } = parseObject(line) ?? {};
    const isEntry = typeof key === "string" && typeof value === "string" && Object.keys(more).length === 0;
    if (!isEntry || key <= this.#lastKey) throw this.#damaged();
    this.#count += 1;
    this.#lastKey = key;
    this.#onEntry({ key, value });
  }

  #readTrailer(line: Buffer, { count }: BackupHeader): void {
    const sha256 = this.#sha256 ?? this.#checksum.digest("hex");
    if (this.#sha256 !== undefined || !line.equals(Buffer.from(trailerLine(count, sha256)))) {
      throw this.refuse("it is damaged, or cut short: its checksum does not fit its content");
    }
    this.#sha256 = sha256;
  }

  #damaged(): ParasausError {
    const lineNumber = this.#count + (this.#header ? 2 : 1);
    return this.refuse(`it is damaged: line ${lineNumber} is not what was written`);
  }
}

/** Lines with their line ends; what is behind the last one is a line, too. */
async function* linesOf(
  chunks: AsyncIterable<Uint8Array>,
  reader: Pick<BackupReader, "lineLimitBytes" | "refuseLongLine">,
): AsyncGenerator<Buffer> {
  let pieces: Buffer[] = [];
  let size = 0;
  for await (const chunk of chunks) {
    let rest = Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength);
    for (let end = rest.indexOf(LINE_END); end >= 0; end = rest.indexOf(LINE_END)) {
      yield Buffer.concat([...pieces, rest.subarray(0, end + 1)]);
      pieces = [];
      size = 0;
      rest = rest.subarray(end + 1);
    }
    pieces.push(Buffer.from(rest));
    size += rest.length;
    if (size > reader.lineLimitBytes) throw reader.refuseLongLine();
  }
  if (size > 0) yield Buffer.concat(pieces);
}

function parseObject(line: Buffer): Readonly<Record<string, unknown>> | undefined {
  try {
    const value: unknown = JSON.parse(line.toString("utf8"));
    return typeof value === "object" && value !== null && !Array.isArray(value)
      ? (value as Record<string, unknown>)
      : undefined;
  } catch {
    return undefined;
  }
}

function isHeader(value: object): value is BackupHeader {
  const { version, revision, epoch, time, count } = value as Partial<BackupHeader>;
  const isNumber = (number: unknown) => Number.isSafeInteger(number) && Number(number) >= 0;
  const isRevision = /^\d+$/.test(revision ?? "") && isNumber(Number(revision));
  return (
    isRevision &&
    typeof version === "string" &&
    typeof time === "string" &&
    isNumber(epoch) &&
    isNumber(count)
  );
}
