import { existsSync } from "node:fs";
import path from "node:path";
import { describe, expect, it } from "vitest";
import { type GuestKind, makeGuestFolder, whyGuestFailed } from "../lab/guest.ts";
import { guestKernelRelease, QEMU } from "../lab/qemu.ts";
import { UML } from "../lab/uml.ts";

const TIMEOUT_MS = 250_000;
/** Prints what the kernel is, and ends with an error where it cannot balance or translate. */
const SCRIPT = `
echo "fact cpus $(nproc)"
echo "fact release $(uname -r)"
echo "fact seconds $(cut -d ' ' -f 1 /proc/uptime)"
set -e
modprobe ip_vs
echo "fact ipvs $(head -1 /proc/net/ip_vs)"
nft 'add table ip t; add chain ip t c { type nat hook postrouting priority srcnat; }; add rule ip t c masquerade'
echo "fact nat $(nft list chain ip t c | grep -o masquerade)"
`;
/** The guest writes it beside this file. */
const MARK = path.join(import.meta.dirname, "written-by-a-guest");
const missing = QEMU.missing();
const missingControl = missing || UML.missing();

describe.skipIf(missing)(`a guest in QEMU${missing}`, () => {
  it("has two CPUs, the kernel of the package, IPVS and NAT by nftables", async () => {
    const { end, facts } = await run(QEMU, `touch ${MARK}; echo "fact wrote $(ls ${MARK})"`);
    expect(whyGuestFailed(end)).toBeUndefined();
    expect(facts.wrote).toBe(MARK);
    expect(existsSync(MARK), "the host's files stay as they are").toBe(false);
    expect(facts).toMatchObject({ cpus: "2", release: guestKernelRelease(), nat: "masquerade" });
    expect(facts.ipvs).toMatch(/^IP Virtual Server version/);
    process.stdout.write(
      `guest in QEMU n=1: its script begins after ${facts.seconds} s of its own time, ends after ${(end.durationMs / 1000).toFixed(1)} s\n`,
    );
  });

  it.skipIf(missingControl)(`control: user-mode-linux has no NAT by nftables${missingControl}`, async () => {
    const { end, facts } = await run(UML);
    expect(facts.cpus).toBe("1");
    expect(facts.ipvs).toMatch(/^IP Virtual Server version/);
    expect(facts.nat).toBeUndefined();
    expect(end.exitCode).not.toBe(0);
  });
});

type Facts = Partial<Record<"cpus" | "release" | "seconds" | "ipvs" | "nat" | "wrote", string>>;

async function run(kind: GuestKind, more = "") {
  await using guest = kind.start({ script: `${SCRIPT}${more}`, timeoutMs: TIMEOUT_MS }, makeGuestFolder());
  const end = await guest.ended;
  const lines = end.console.matchAll(/^fact (\w+) (.*?)\r?$/gm);
  return { end, facts: Object.fromEntries([...lines].map(([, name, value]) => [name, value])) as Facts };
}
