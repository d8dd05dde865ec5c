import { describeGuestTests } from "./guest-tests.ts";

await describeGuestTests(
  "IPVS driver",
  ["test/integration/driver-ipvs.test.ts", "test/integration/ipvs-driver.test.ts"],
  31,
);
