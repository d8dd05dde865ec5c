import { expect, it } from "vitest";
import { explainConnection } from "./connection-problem.ts";

const none = (error: string) => `No connection established. Last error: ${error}. Resolution note: `;

// The texts are what gRPC says on Node 20 with a member, or something else, on the other side.
it.each([
  [none("Error: connect ECONNREFUSED 127.0.0.1:1"), "nobody listens there"],
  ["Name resolution failed for target dns:no-such-host.invalid:2379", "cannot be resolved"],
  [none("Protocol error (2026-11-26T06:24:32.724Z)"), "not etcd"],
  [none("Error: unable to verify the first certificate"), "signed by another authority"],
  [none("Error: self-signed certificate in certificate chain"), "signed by another authority"],
  [
    none(
      "Error [ERR_TLS_CERT_ALTNAME_INVALID]: Hostname/IP does not match certificate's altnames: IP: 127.0.0.1 is not in the cert's list: ",
    ),
    "another name or address",
  ],
  [
    none(
      "807C:error:0A000412:SSL routines:ssl3_read_bytes:sslv3 alert bad certificate:rec_layer_s3.c:1601:SSL alert number 42\n",
    ),
    "our client certificate",
  ],
  [
    none("Error: Client network socket disconnected before secure TLS connection was established"),
    "does not speak TLS",
  ],
  [none("Failed to connect (2026-11-26T06:24:47.541Z)"), "wants TLS"],
])("says what %j means", (details, words) => {
  expect(explainConnection(details)).toContain(words);
});

it("leaves what it does not know as it is, without gRPC's frame", () => {
  expect(explainConnection(none("read ECONNRESET"))).toBe("read ECONNRESET");
  expect(explainConnection("etcdserver: request timed out")).toBe("etcdserver: request timed out");
});
