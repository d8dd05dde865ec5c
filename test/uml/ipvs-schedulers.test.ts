import { describeGuestTests } from "./guest-tests.ts";

await describeGuestTests("IPVS schedulers", ["test/integration/ipvs-schedulers.test.ts"], 15);
