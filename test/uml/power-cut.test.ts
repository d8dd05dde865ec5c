import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { bundleLabPrograms } from "../lab/bundle.ts";
import { type Guest, makeGuestFolder, whyGuestFailed } from "../lab/guest.ts";
import { type Random, seeded } from "../lab/random.ts";
import { missingForUml, startUml } from "../lab/uml.ts";

const CUTS = Number(process.env["PARASAUS_POWER_CUTS"] ?? 3);
const SEED = Number(process.env["PARASAUS_POWER_SEED"] ?? 20261126);
const WRITERS = 8;
/** Sparse; the store keeps 64 MiB free. */
const DISK_BYTES = 256 * 1024 * 1024;
const BOOT_MS = 300_000;
/** The kernel says that all is on the disk, and has not begun to write. */
const SYNCS = "fsync,fdatasync,msync,sync_file_range";
const LYING = `strace -f -qq -o /dev/null -e trace=${SYNCS} -e inject=${SYNCS}:retval=0`;
const missing = missingForUml();

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), "paratest-power-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

/** What a boot found, and what it was acknowledged until its power was cut. */
interface Round {
  /** Why the store did not open: the code of its error. */
  readonly refusal?: string;
  readonly check?: { readonly lost: readonly string[]; readonly storedCount: number };
  readonly acknowledged: readonly string[];
}

function makeDisk(): string {
  const image = path.join(folder, "disk");
  writeFileSync(image, "");
  truncateSync(image, DISK_BYTES);
  execFileSync("/sbin/mkfs.ext4", ["-q", image]);
  return image;
}

/** Boots, checks what earlier rounds were acknowledged, writes, and pulls the plug in the middle of it. */
async function boot(
  image: string,
  keys: readonly string[],
  round: number,
  random?: Random,
  prefix = "",
): Promise<Round> {
  const shared = makeGuestFolder();
  await bundleLabPrograms(["power-cut-writer.ts"], path.join(shared, "lab"));
  writeFileSync(path.join(shared, "keys"), keys.join("\n"));
  const writers = random ? WRITERS : 0;
  const script = `
mkdir /run/disk && mount /dev/ubda /run/disk || exit 9
exec ${prefix} ${process.execPath} $SHARED/lab/power-cut-writer.mjs /run/disk/store $SHARED/keys ${round} ${writers}`;
  await using guest = startUml({ script, timeoutMs: BOOT_MS, disks: [image] }, shared);
  const isCut = random !== undefined && (await pullThePlug(guest, random));
  const end = await guest.ended;
  const failure = isCut ? undefined : whyGuestFailed(end);
  if (failure) throw new Error(failure);
  return readRound(end.console);
}

/** As soon as it writes, and then not at once. @returns false when the guest ended by itself */
async function pullThePlug(guest: Guest, random: Random): Promise<boolean> {
  let isGone = false;
  void guest.ended.then(() => {
    isGone = true;
  });
  while (!isGone && readRound(guest.printed()).acknowledged.length === 0) await pause(50);
  await pause(random.below(1_500));
  guest.cutPower();
  return !isGone;
}

function readRound(printed: string): Round {
  const lines = printed.split("\n").slice(0, -1);
  const words = lines.map((line) => line.trim());
  const check = words.find((line) => line.startsWith("checked "));
  const refusal = words.find((line) => line.startsWith("refused "))?.slice("refused ".length);
  return {
    acknowledged: words.filter((line) => /^\/\d+\/\d+\/\d+$/.test(line)),
    ...(refusal ? { refusal } : {}),
    ...(check ? { check: JSON.parse(check.slice("checked ".length)) } : {}),
  };
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

describe.skipIf(missing)(`the embedded store on a machine whose power fails${missing}`, () => {
  it(
    `has every acknowledged write after each of ${CUTS} cuts, and none that nobody made`,
    async () => {
      const startMs = performance.now();
      const random = seeded(SEED);
      const image = makeDisk();
      const keys: string[] = [];
      for (let round = 0; round <= CUTS; round += 1) {
        const { check, acknowledged } = await boot(image, keys, round, round < CUTS ? random : undefined);
        expect(check?.lost, `after ${round} cuts`).toEqual([]);
        // Each cut may leave one write of each writer stored but not acknowledged.
        expect((check?.storedCount ?? 0) - keys.length).toBeLessThanOrEqual(round * WRITERS);
        if (round < CUTS) expect(acknowledged.length).toBeGreaterThan(0);
        keys.push(...acknowledged);
      }
      const seconds = Math.round((performance.now() - startMs) / 1000);
      process.stdout.write(
        `power cuts: n=${CUTS} seed=${SEED} acknowledged=${keys.length} lost=0 ${seconds} s\n`,
      );
    },
    60_000 + CUTS * 60_000,
  );

  it("control: loses some when the disk is told nothing", async () => {
    const random = seeded(SEED);
    const image = makeDisk();
    const first = await boot(image, [], 0, random, LYING);
    const { check, refusal } = await boot(image, first.acknowledged, 1);
    const lostCount = refusal === "StoreCorrupt" ? first.acknowledged.length : (check?.lost.length ?? 0);
    process.stdout.write(
      `power cut, control: ${first.acknowledged.length} acknowledged, ${lostCount} lost, ${refusal ?? "opened"}\n`,
    );
    expect(lostCount).toBeGreaterThan(0);
  });
});
