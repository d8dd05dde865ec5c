import type { BinaryReader, BinaryWriter } from "@bufbuild/protobuf/wire";
import type { StoreCondition, StoreEntry, StoreWrite } from "../store.ts";
import {
  decode,
  encode,
  readInteger,
  readText,
  writeFlag,
  writeInteger,
  writeMessage,
  writeText,
} from "./wire.ts";

// Field numbers are those of api/etcdserverpb/rpc.proto and api/mvccpb/kv.proto in etcd-io/etcd; only what is used is here.

/** The key before all keys; nobody can write it. */
export const NO_KEY = "\0";

/** What every answer of etcd begins with. */
export interface Header {
  readonly clusterId: bigint;
  /** The revision that the answering member was at. */
  readonly revision: number;
}

/** A range of keys, `end` excluded. */
export interface RangeRequest {
  readonly key: string;
  /** Absent: `key` alone. A zero byte: to the end of all keys. */
  readonly end?: string;
  /** Most entries; 0 or absent = all. */
  readonly limit?: number;
  /** 0 or absent = now. */
  readonly revision?: number;
  readonly countOnly?: boolean;
}

/** What a range holds. */
export interface RangeResponse {
  readonly header: Header;
  readonly entries: readonly StoreEntry[];
  readonly more: boolean;
  /** Keys in the range, whatever the limit. */
  readonly count: number;
}

/** Compares, then writes and reads; or only reads. */
export interface TxnRequest {
  readonly conditions: readonly StoreCondition[];
  readonly writes: readonly StoreWrite[];
  readonly reads: readonly RangeRequest[];
}

/** What became of it. */
export interface TxnResponse {
  readonly header: Header;
  readonly succeeded: boolean;
  /** One for each read, in order. */
  readonly ranges: readonly Omit<RangeResponse, "header">[];
}

/** An answer that is nothing but its header. */
export interface PlainResponse {
  readonly header: Header;
}

const NO_HEADER: Header = { clusterId: 0n, revision: 0 };

/** ResponseHeader. */
export function readHeader(reader: BinaryReader): Header {
  let { clusterId, revision } = NO_HEADER;
  decode(reader.bytes(), {
    1: (field) => {
      clusterId = BigInt(field.uint64());
    },
    3: (field) => {
      revision = readInteger(field);
    },
  });
  return { clusterId, revision };
}

/** RangeRequest. */
export function encodeRange(request: RangeRequest): Buffer {
  return encode((writer) => writeRange(writer, request));
}

function writeRange(writer: BinaryWriter, { key, end, limit, revision, countOnly }: RangeRequest): void {
  writeText(writer, 1, key);
  if (end !== undefined) writeText(writer, 2, end);
  if (limit) writeInteger(writer, 3, limit);
  if (revision) writeInteger(writer, 4, revision);
  writeFlag(writer, 9, countOnly ?? false);
}

/** RangeResponse. */
export function decodeRange(bytes: Uint8Array): RangeResponse {
  let header = NO_HEADER;
  const entries: StoreEntry[] = [];
  let more = false;
  let count = 0;
  decode(bytes, {
    1: (reader) => {
      header = readHeader(reader);
    },
    2: (reader) => void entries.push(readKeyValue(reader)),
    3: (reader) => {
      more = reader.bool();
    },
    4: (reader) => {
      count = readInteger(reader);
    },
  });
  return { header, entries, more, count };
}

/** KeyValue; version and lease are not needed. */
export function readKeyValue(reader: BinaryReader): StoreEntry {
  let key = "";
  let value = "";
  let createRevision = 0;
  let modRevision = 0;
  decode(reader.bytes(), {
    1: (field) => {
      key = readText(field);
    },
    2: (field) => {
      createRevision = readInteger(field);
    },
    3: (field) => {
      modRevision = readInteger(field);
    },
    5: (field) => {
      value = readText(field);
    },
  });
  return { key, value, createRevision, modRevision };
}

/** TxnRequest. Reads come behind the writes. */
export function encodeTxn({ conditions, writes, reads }: TxnRequest): Buffer {
  return encode((writer) => {
    for (const condition of conditions)
      writeMessage(writer, 1, (compare) => writeCompare(compare, condition));
    for (const write of writes) writeMessage(writer, 2, (operation) => writeOperation(operation, write));
    for (const read of reads) {
      writeMessage(writer, 2, (operation) => writeMessage(operation, 1, (range) => writeRange(range, read)));
    }
  });
}

const TARGET_MOD_REVISION = 2;

/** Compare: EQUAL, which is 0, on the modRevision. */
function writeCompare(writer: BinaryWriter, { key, modRevision }: StoreCondition): void {
  writeFlag(writer, 2, TARGET_MOD_REVISION);
  writeText(writer, 3, key);
  writeInteger(writer, 6, modRevision);
}

/** RequestOp. */
function writeOperation(writer: BinaryWriter, write: StoreWrite): void {
  if (write.kind === "delete") {
    writeMessage(writer, 3, (deletion) => writeText(deletion, 1, write.key));
    return;
  }
  writeMessage(writer, 2, (put) => {
    writeText(put, 1, write.key);
    writeText(put, 2, write.value);
    if (write.leaseId !== undefined) writeInteger(put, 3, BigInt(`0x${write.leaseId}`));
  });
}

/** TxnResponse. */
export function decodeTxn(bytes: Uint8Array): TxnResponse {
  let header = NO_HEADER;
  let succeeded = false;
  const ranges: RangeResponse[] = [];
  decode(bytes, {
    1: (reader) => {
      header = readHeader(reader);
    },
    2: (reader) => {
      succeeded = reader.bool();
    },
    // ResponseOp.response_range
    3: (reader) => decode(reader.bytes(), { 1: (range) => void ranges.push(decodeRange(range.bytes())) }),
  });
  return { header, succeeded, ranges };
}

/** CompactionRequest. */
export function encodeCompaction({ revision }: { readonly revision: number }): Buffer {
  return encode((writer) => writeInteger(writer, 1, revision));
}

/** Any answer of which only the header counts. */
export function decodePlain(bytes: Uint8Array): PlainResponse {
  let header = NO_HEADER;
  decode(bytes, {
    1: (reader) => {
      header = readHeader(reader);
    },
  });
  return { header };
}
