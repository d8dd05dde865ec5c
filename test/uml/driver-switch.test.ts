import { describeGuestTests } from "./guest-tests.ts";

await describeGuestTests("driver switch", ["test/integration/driver-switch.test.ts"], 4);
