import { status } from "@grpc/grpc-js";
import { expect, it } from "vitest";
import { readFailure } from "./failure.ts";

const failure = (code: status, details: string) => Object.assign(new Error(details), { code, details });

// Codes and words are those of api/v3rpc/rpctypes/error.go in etcd-io/etcd.
it.each([
  [status.OUT_OF_RANGE, "etcdserver: mvcc: required revision has been compacted", "Expired"],
  [status.OUT_OF_RANGE, "etcdserver: mvcc: required revision is a future revision", "BadRequest"],
  [status.NOT_FOUND, "etcdserver: requested lease not found", "NotFound"],
  [status.FAILED_PRECONDITION, "etcdserver: lease already exists", "AlreadyExists"],
  [status.RESOURCE_EXHAUSTED, "etcdserver: mvcc: database space exceeded", "StorageFull"],
  [status.INVALID_ARGUMENT, "etcdserver: request is too large", "TooLarge"],
  [status.INVALID_ARGUMENT, "etcdserver: too many operations in txn request", "TooLarge"],
  [status.INVALID_ARGUMENT, "etcdserver: duplicate key given in txn request", "BadRequest"],
  [status.DATA_LOSS, "etcdserver: corrupt cluster", "StoreCorrupt"],
])("takes %i %j for a refusal: %s", (code, details, expected) => {
  const read = readFailure("write", failure(code, details));
  expect(read).toMatchObject({ kind: "refused", error: { code: expected } });
});

it.each([
  [status.UNAVAILABLE, "etcdserver: no leader", "not-done"],
  [status.RESOURCE_EXHAUSTED, "etcdserver: too many requests", "not-done"],
  [status.UNAVAILABLE, "etcdserver: request timed out", "unknown"],
  [status.UNAVAILABLE, "etcdserver: request timed out, possibly due to previous leader failure", "unknown"],
  [status.UNAVAILABLE, "etcdserver: leader changed", "unknown"],
  [status.UNAVAILABLE, "etcdserver: server stopped", "unknown"],
  [status.UNAVAILABLE, "read ECONNRESET", "unknown"],
  // Not etcd's words: whoever says so may have passed the request on.
  [status.UNAVAILABLE, "proxy: no leader", "unknown"],
  [status.CANCELLED, "Call cancelled", "unknown"],
])("takes %i %j for %s", (code, details, kind) => {
  expect(readFailure("write", failure(code, details)).kind).toBe(kind);
});
