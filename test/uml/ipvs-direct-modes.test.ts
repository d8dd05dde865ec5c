import { describeGuestTests } from "./guest-tests.ts";

await describeGuestTests(
  "IPVS past the node, in every way",
  ["test/integration/ipvs-direct-modes.test.ts", "test/integration/driver-ipvs-tunnel.test.ts"],
  34,
);
