import {
  decodePlain,
  decodeRange,
  decodeTxn,
  encodeCompaction,
  encodeRange,
  encodeTxn,
  type Header,
} from "./key-value-messages.ts";
import { decodeLease, encodeGrant, encodeLease } from "./lease-messages.ts";
import { decodeWatch, encodeWatch } from "./watch-messages.ts";

/** One gRPC method of etcd. */
export interface Method<Request, Response extends { readonly header: Header }> {
  readonly path: string;
  readonly encode: (request: Request) => Buffer;
  readonly decode: (bytes: Buffer) => Response;
}

/** Every method that is used. */
export const METHODS = {
  range: { path: "/etcdserverpb.KV/Range", encode: encodeRange, decode: decodeRange },
  txn: { path: "/etcdserverpb.KV/Txn", encode: encodeTxn, decode: decodeTxn },
  compact: { path: "/etcdserverpb.KV/Compact", encode: encodeCompaction, decode: decodePlain },
  watch: { path: "/etcdserverpb.Watch/Watch", encode: encodeWatch, decode: decodeWatch },
  grant: { path: "/etcdserverpb.Lease/LeaseGrant", encode: encodeGrant, decode: decodeLease },
  revoke: { path: "/etcdserverpb.Lease/LeaseRevoke", encode: encodeLease, decode: decodePlain },
  keepAlive: { path: "/etcdserverpb.Lease/LeaseKeepAlive", encode: encodeLease, decode: decodeLease },
} as const;
