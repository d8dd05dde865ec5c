import { type Header, readHeader } from "./key-value-messages.ts";
import { decode, encode, readInteger, writeInteger } from "./wire.ts";

// Field numbers are those of api/etcdserverpb/rpc.proto in etcd-io/etcd.

/** What became of a lease. */
export interface LeaseResponse {
  readonly header: Header;
  /** Time that it lives on, seconds; 0 or less = it has ended. */
  readonly ttlSeconds: number;
}

/** LeaseGrantRequest: the id is ours, so that asking twice grants once. */
export function encodeGrant({
  id,
  ttlSeconds,
}: {
  readonly id: bigint;
  readonly ttlSeconds: number;
}): Buffer {
  return encode((writer) => {
    writeInteger(writer, 1, ttlSeconds);
    writeInteger(writer, 2, id);
  });
}

/** LeaseRevokeRequest, LeaseKeepAliveRequest. */
export function encodeLease({ id }: { readonly id: bigint }): Buffer {
  return encode((writer) => writeInteger(writer, 1, id));
}

/** LeaseGrantResponse, LeaseKeepAliveResponse. */
export function decodeLease(bytes: Uint8Array): LeaseResponse {
  let header: Header = { clusterId: 0n, revision: 0 };
  let ttlSeconds = 0;
  decode(bytes, {
    1: (reader) => {
      header = readHeader(reader);
    },
    3: (reader) => {
      ttlSeconds = readInteger(reader);
    },
  });
  return { header, ttlSeconds };
}
