import { describeGuestTests } from "./guest-tests.ts";

// The whole product, and real traffic, on one slow CPU.
await describeGuestTests(
  "Scenarios with IPVS",
  [
    "test/scenario/adopt-running.test.ts",
    "test/scenario/agent-death.test.ts",
    "test/scenario/change-under-load.test.ts",
    "test/scenario/distribution.test.ts",
    "test/scenario/member-death.test.ts",
  ],
  9,
  {
    variables: {
      PARASAUS_LAB_DRIVER: "ipvs",
      PARASAUS_CHANGE_REQUESTS: "4000",
      PARASAUS_AGENT_KILLS: "2",
      PARASAUS_AGENT_REQUESTS: "2000",
    },
  },
);
