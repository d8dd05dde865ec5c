import { describeGuestTests } from "./guest-tests.ts";

// The whole product, and real traffic, on one slow CPU.
await describeGuestTests(
  "Scenarios with IPVS",
  ["test/scenario/change-under-load.test.ts", "test/scenario/distribution.test.ts"],
  4,
  { variables: { PARASAUS_LAB_DRIVER: "ipvs", PARASAUS_CHANGE_REQUESTS: "4000" } },
);
