import { describe } from "vitest";
import { describeDriver } from "../contract/driver.ts";
import { openDirectWorld } from "../lab/direct-world.ts";
import { missingForIpvs } from "../lab/ipvs-world.ts";

const missing = missingForIpvs();

describe.skipIf(missing)(`IPVS${missing}`, () => {
  describeDriver("ipvs, tunnel", () => openDirectWorld("tunnel"));
});
