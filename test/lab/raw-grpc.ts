import type { handleBidiStreamingCall, handleUnaryCall, Server } from "@grpc/grpc-js";

/** Methods of etcd with one request and one answer that a store uses. */
export const ETCD_UNARY = ["KV/Range", "KV/Txn", "KV/Compact", "Lease/LeaseGrant", "Lease/LeaseRevoke"].map(
  (name) => `/etcdserverpb.${name}`,
);

/** Bytes as they are: for what passes gRPC on and does not read it. */
export const raw = (bytes: Buffer) => bytes;

/** Answers a method with one request and one answer, whose messages stay bytes. */
export function serveUnary(server: Server, path: string, handle: handleUnaryCall<Buffer, Buffer>): void {
  server.addService({ [path]: rawMethod(path, false) }, { [path]: handle });
}

/** Answers a method with a stream in both directions, whose messages stay bytes. */
export function serveStream(
  server: Server,
  path: string,
  handle: handleBidiStreamingCall<Buffer, Buffer>,
): void {
  server.addService({ [path]: rawMethod(path, true) }, { [path]: handle });
}

const rawMethod = (path: string, isStream: boolean) => ({
  path,
  requestStream: isStream,
  responseStream: isStream,
  requestSerialize: raw,
  requestDeserialize: raw,
  responseSerialize: raw,
  responseDeserialize: raw,
});
