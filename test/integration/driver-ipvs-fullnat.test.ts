import { describe } from "vitest";
import { describeDriver } from "../contract/driver.ts";
import { missingForMasquerading, openIpvsWorld } from "../lab/ipvs-world.ts";

const missing = missingForMasquerading();

describe.skipIf(missing)(`IPVS${missing}`, () => {
  describeDriver("ipvs, fullnat", () => openIpvsWorld());
});
