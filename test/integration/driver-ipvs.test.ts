import { describe } from "vitest";
import { describeDriver } from "../contract/driver.ts";
import { missingForIpvs, openIpvsWorld } from "../lab/ipvs-world.ts";

const missing = missingForIpvs();

describe.skipIf(missing)(`IPVS${missing}`, () => {
  describeDriver("ipvs, nat", async () => ({ ...(await openIpvsWorld()), forwarding: "nat" }));
});
