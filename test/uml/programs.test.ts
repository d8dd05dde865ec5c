import { describeGuestTests } from "./guest-tests.ts";

await describeGuestTests("eBPF programs", ["bpf/test/", "test/integration/ebpf-options.test.ts"], 150);
