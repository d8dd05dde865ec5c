import { describeGuestTests } from "./guest-tests.ts";

await describeGuestTests(
  "IPVS past the node, in every way",
  ["test/integration/ipvs-direct-modes.test.ts"],
  10,
);
