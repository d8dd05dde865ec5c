import { QEMU } from "../lab/qemu.ts";
import { describeGuestTests } from "./guest-tests.ts";

// Unlike eBPF's, IPVS' fullnat takes another path through the kernel than its nat.
await describeGuestTests(
  "IPVS driver, fullnat",
  [
    "test/integration/driver-ipvs-fullnat.test.ts",
    "test/integration/ipvs-fullnat.test.ts",
    "test/integration/ipvs-scheduler-change.test.ts",
    "test/integration/masquerade.test.ts",
  ],
  38,
  { kind: QEMU },
);
