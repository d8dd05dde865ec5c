import { describeGuestTests } from "./guest-tests.ts";

await describeGuestTests(
  "IPVS past the node",
  ["test/integration/ipvs-direct.test.ts", "test/integration/ipvs-node-loss.test.ts"],
  43,
);
