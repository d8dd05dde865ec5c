import { describeGuestTests } from "./guest-tests.ts";

await describeGuestTests("IPVS table", ["test/integration/ipvs-table.test.ts"], 6);
