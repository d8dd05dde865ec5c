import { describeGuestTests } from "./guest-tests.ts";

// One guest for all: to boot it and to start Vitest there takes as long as many tests.
await describeGuestTests(
  "IPVS",
  [
    "test/integration/driver-ipvs.test.ts",
    "test/integration/ipvs-driver.test.ts",
    "test/integration/ipvs-scale.test.ts",
    "test/integration/ipvs-table.test.ts",
  ],
  48,
);
