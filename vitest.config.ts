import { availableParallelism } from "node:os";
import { defineConfig } from "vitest/config";
import { GuestsFirstSequencer } from "./scripts/guests-first-sequencer.ts";

/** What `npm run test:long` asks of tests that `npm test` runs in short; the environment overrides each. */
const LONG_SIZES = {
  PARASAUS_AGENT_KILLS: "200",
  PARASAUS_CHANGE_SECONDS: "300",
  PARASAUS_STORE_KILLS: "200",
  PARASAUS_STORE_FLIPS: "10000",
  PARASAUS_KILL_POINTS: "all",
  PARASAUS_OUTAGE_SECONDS: "300",
  PARASAUS_POWER_CUTS: "40",
  PARASAUS_LEADER_CHANGES: "100",
  PARASAUS_SERVER_KILLS: "50",
  PARASAUS_SERVER_PAUSES: "20",
  PARASAUS_FUZZ_PACKETS: "10000000",
  PARASAUS_IPVS_SERVICES: "35000",
  PARASAUS_IPVS_KILLS: "50",
  PARASAUS_IPVS_REQUESTS: "20000",
};

/** Set-up and tear-down of tests with the kernel; guests set it, as Vitest takes no --hookTimeout for projects. */
const HOOK_TIMEOUT_MS = Number(process.env["PARASAUS_HOOK_TIMEOUT_MS"] ?? 120_000);

/** By default Vitest leaves one CPU free, which on two is one file at a time. */
const WORKERS = Math.max(2, availableParallelism() - 1);

export default defineConfig({
  test: {
    reporters: ["default", "./scripts/closing-line-reporter.ts"],
    sequence: { sequencer: GuestsFirstSequencer },
    projects: [
      {
        test: {
          name: "unit",
          include: ["src/**/*.test.ts", "scripts/**/*.test.ts", "bench/**/*.test.ts", "web/**/*.test.ts"],
          maxWorkers: WORKERS,
        },
      },
      {
        test: {
          name: "contract",
          include: ["test/contract/**/*.test.ts"],
          maxWorkers: WORKERS,
          testTimeout: 60_000,
          hookTimeout: 60_000,
        },
      },
      {
        test: {
          name: "integration",
          // IPVS, which the host's kernel may not have, runs in a guest, beside the others.
          include: ["test/integration/**/*.test.ts", "test/uml/ipvs.test.ts"],
          maxWorkers: WORKERS,
          testTimeout: 300_000,
          hookTimeout: HOOK_TIMEOUT_MS,
        },
      },
      {
        test: {
          // Real traffic against the clock: one file at a time, alone.
          name: "lab",
          include: [
            "test/lab/**/*.test.ts",
            "test/scenario/**/*.test.ts",
            "test/uml/power-cut.test.ts",
            "bpf/test/**/*.test.ts",
          ],
          testTimeout: 300_000,
          hookTimeout: HOOK_TIMEOUT_MS,
          fileParallelism: false,
          sequence: { groupOrder: 1 },
        },
      },
      {
        test: {
          // A real browser; after what runs against the clock.
          name: "e2e",
          include: ["test/e2e/**/*.test.ts"],
          testTimeout: 120_000,
          hookTimeout: 300_000,
          fileParallelism: false,
          sequence: { groupOrder: 4 },
        },
      },
      {
        test: {
          name: "lvs",
          include: [
            "test/uml/{driver,driver-switch,ipvs,ipvs-direct,ipvs-direct-modes,ipvs-fullnat,ipvs-ranges,ipvs-scenarios,ipvs-schedulers,programs,qemu}.test.ts",
          ],
          // A guest of user-mode-linux has one CPU.
          maxWorkers: 2,
          testTimeout: 300_000,
          hookTimeout: 120_000,
          sequence: { groupOrder: 2 },
        },
      },
      {
        test: {
          name: "long",
          include: [
            "test/long/**/*.test.ts",
            "test/scenario/{agent-death,change-under-load,control-plane-outage,server-death,server-kill-points}.test.ts",
            "test/contract/{store-faults,leaders-etcd}.test.ts",
            "test/uml/{power-cut,ipvs}.test.ts",
            "bpf/test/fuzz.test.ts",
          ],
          env: { ...LONG_SIZES, ...process.env },
          testTimeout: 1_800_000,
          hookTimeout: 120_000,
          fileParallelism: false,
          sequence: { groupOrder: 3 },
        },
      },
    ],
  },
});
