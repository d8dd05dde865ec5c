/** What a backup says of itself. */
export interface BackupHeader {
  /** Version of the program that took it. */
  readonly version: string;
  /** resourceVersion that it is true at: everything up to it is in, nothing after it. */
  readonly revision: string;
  /** Epoch of the store, a number from 1 on. */
  readonly epoch: number;
  /** When it was taken, RFC 3339. */
  readonly time: string;
  /** Objects in it. */
  readonly count: number;
}

/** One object of a backup, as a store keeps it. */
export interface BackupEntry {
  readonly key: string;
  /** JSON text. */
  readonly value: string;
}

/** A backup that was read whole and found to be what was written. */
export interface Backup {
  readonly header: BackupHeader;
  /** SHA-256 of everything before the last line, in hexadecimal; names the backup. */
  readonly sha256: string;
  /** In key order, each key once. */
  readonly entries: readonly BackupEntry[];
}

/** Names the format in the first line and in the last. */
export const BACKUP_FORMAT = "parasaus-backup";
/** Raised when a reader of this version could not read what is written. */
export const BACKUP_FORMAT_VERSION = 1;

/** The last line, which says that the file is whole. */
export function trailerLine(count: number, sha256: string): string {
  return `${JSON.stringify({ end: BACKUP_FORMAT, count, sha256 })}\n`;
}
