import { afterAll, beforeAll, expect, it } from "vitest";
import { fuzz } from "./fuzz/fuzz.ts";
import { DROPS } from "./layout.ts";
import { openPrograms, type Programs } from "./programs.ts";
import { describePrograms } from "./suite.ts";

const PACKETS = Number(process.env["PARASAUS_FUZZ_PACKETS"] ?? 100_000);
const SEED = Number(process.env["PARASAUS_FUZZ_SEED"] ?? 20261126);
/** Reasons that no packet can bring about here. */
const UNSEEN = ["none", "checksum"];
const KINDS = [
  "answer of the node",
  "drop",
  "error forwarded",
  "given to the node",
  "pass",
  "reset",
  "to a client",
  "to a member",
];
let kernel: Programs;

beforeAll(() => {
  kernel = openPrograms({ flow: 600, half_open_ring: 48, affinity: 3 });
});
afterAll(() => kernel?.[Symbol.dispose]());

describePrograms("random and broken packets", () => {
  it(
    `each of ${PACKETS} comes out whole, or as its flow says, or is counted as dropped, once`,
    () => {
      const startMs = performance.now();
      const { kinds, drops, audits } = fuzz(kernel, SEED, PACKETS);
      const seconds = (performance.now() - startMs) / 1000;
      process.stdout.write(
        `fuzz: n=${PACKETS} seed=${SEED} wrong=0 audits=${audits} ${seconds.toFixed(1)} s (${Math.round(PACKETS / seconds)}/s) ${JSON.stringify({ ...kinds, ...drops })}\n`,
      );
      expect(Object.keys(kinds).toSorted()).toEqual(KINDS);
      expect(Object.keys(drops).toSorted()).toEqual(
        DROPS.filter((reason) => !UNSEEN.includes(reason)).toSorted(),
      );
    },
    60_000 + PACKETS,
  );
});
