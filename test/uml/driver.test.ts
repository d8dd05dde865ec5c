import { describeGuestTests } from "./guest-tests.ts";

// With nat each test takes the same path through the kernel, and as long: bpf/test/traffic.test.ts has it.
await describeGuestTests("eBPF driver", ["test/integration/driver-ebpf.test.ts"], 20);
