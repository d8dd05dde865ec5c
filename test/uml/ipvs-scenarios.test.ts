import { describeGuestTests } from "./guest-tests.ts";

// The whole product, and real traffic, on one slow CPU. The driver's own tests kill it: here traffic would leave an agent
// no time to start again.
await describeGuestTests(
  "Scenarios with IPVS",
  [
    "test/scenario/adopt-running.test.ts",
    "test/scenario/change-under-load.test.ts",
    "test/scenario/distribution.test.ts",
    "test/scenario/member-death.test.ts",
  ],
  7,
  {
    variables: {
      PARASAUS_LAB_DRIVER: "ipvs",
      PARASAUS_CHANGE_REQUESTS: "4000",
    },
  },
);
