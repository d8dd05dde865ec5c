import { describe } from "vitest";
import { describeDriver } from "../contract/driver.ts";
import { missingForEbpf, openEbpfWorld } from "../lab/ebpf-world.ts";

const missing = missingForEbpf();

describe.skipIf(missing)(`eBPF${missing}`, () => {
  describeDriver("ebpf, nat", async () => ({ ...(await openEbpfWorld()), forwarding: "nat" }));
});
