import { QEMU } from "../lab/qemu.ts";
import { describeGuestTests } from "./guest-tests.ts";

// Marks by nftables, which user-mode-linux lacks.
await describeGuestTests(
  "IPVS driver, ranges of ports",
  ["test/integration/ipvs-ranges.test.ts", "test/integration/port-marks.test.ts"],
  12,
  { kind: QEMU },
);
