import type { BinaryReader } from "@bufbuild/protobuf/wire";
import type { StoreEntry } from "../store.ts";
import { type Header, readHeader, readKeyValue } from "./key-value-messages.ts";
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

// Field numbers are those of api/etcdserverpb/rpc.proto and api/mvccpb/kv.proto in etcd-io/etcd.

const DELETE = 1;
const EVERYTHING = "\0";

/** One change as etcd tells it. The entry of a delete has key and modRevision, and nothing else. */
export interface EtcdEvent {
  readonly isDelete: boolean;
  readonly entry: StoreEntry;
  readonly previous?: StoreEntry;
}

/** One message of a watch stream. */
export interface WatchResponse {
  readonly header: Header;
  readonly created: boolean;
  readonly canceled: boolean;
  /** Above 0: history before it is gone, the watch ends. */
  readonly compactRevision: number;
  readonly cancelReason: string;
  /** More of the same message follows. */
  readonly isFragment: boolean;
  readonly events: readonly EtcdEvent[];
}

/** WatchRequest.create_request over all keys, with previous entries, in fragments where it is large. */
export function encodeWatch({ startRevision }: { readonly startRevision: number }): Buffer {
  return encode((writer) =>
    writeMessage(writer, 1, (create) => {
      writeText(create, 1, EVERYTHING);
      writeText(create, 2, EVERYTHING);
      writeInteger(create, 3, startRevision);
      writeFlag(create, 6, true);
      writeFlag(create, 8, true);
    }),
  );
}

/** WatchResponse. */
export function decodeWatch(bytes: Uint8Array): WatchResponse {
  let header: Header = { clusterId: 0n, revision: 0 };
  const flags = { created: false, canceled: false, isFragment: false };
  let compactRevision = 0;
  let cancelReason = "";
  const events: EtcdEvent[] = [];
  decode(bytes, {
    1: (reader) => {
      header = readHeader(reader);
    },
    3: (reader) => {
      flags.created = reader.bool();
    },
    4: (reader) => {
      flags.canceled = reader.bool();
    },
    5: (reader) => {
      compactRevision = readInteger(reader);
    },
    6: (reader) => {
      cancelReason = readText(reader);
    },
    7: (reader) => {
      flags.isFragment = reader.bool();
    },
    11: (reader) => void events.push(readEvent(reader)),
  });
  return { header, ...flags, compactRevision, cancelReason, events };
}

function readEvent(reader: BinaryReader): EtcdEvent {
  let type = 0;
  let entry: StoreEntry = { key: "", value: "", createRevision: 0, modRevision: 0 };
  let previous: StoreEntry | undefined;
  decode(reader.bytes(), {
    1: (field) => {
      type = field.int32();
    },
    2: (field) => {
      entry = readKeyValue(field);
    },
    3: (field) => {
      previous = readKeyValue(field);
    },
  });
  return { isDelete: type === DELETE, entry, ...(previous ? { previous } : {}) };
}
