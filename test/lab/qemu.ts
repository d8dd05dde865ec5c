import { execFileSync } from "node:child_process";
import { copyFileSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { type Guest, type GuestKind, type GuestOptions, startGuest, writeInit } from "./guest.ts";

const EMULATOR = "/usr/bin/qemu-system-x86_64";
/** Where `scripts/setup.mjs --lvs-tests` unpacks Debian's kernel. */
const PACKAGES = path.join(import.meta.dirname, "../../dist/guest");
const MODULES = path.join(PACKAGES, "lib/modules");
/** What it takes to have the host's files. */
const FIRST_MODULES = ["virtio_pci", "9pnet_virtio", "9p", "overlay"];
const KERNEL_WORDS = ["console=ttyS0", "quiet", "panic=-1", "mitigations=off", "rdinit=/init"];

/** A machine with two CPUs and a kernel with NAT by nftables, which user-mode-linux lacks; its CPUs are emulated. */
export const QEMU: GuestKind = { name: "Debian in QEMU", missing: missingForQemu, start: startQemu };

function missingForQemu(): string {
  if (process.getuid?.() !== 0) return " (skipped: tests in QEMU need root)";
  if (!existsSync(EMULATOR)) return " (skipped: qemu-system-x86 is not installed)";
  return existsSync(MODULES) ? "" : " (skipped: no kernel for a guest; npm run test:lvs fetches one)";
}

/** The release of the kernel that guests boot, as `uname -r` has it. */
export function guestKernelRelease(): string {
  return readdirSync(MODULES)[0] ?? "";
}

/** The guest sees the host's files; what it writes to them is in its memory, except in its own folder. */
function startQemu(options: GuestOptions, folder: string): Guest {
  writeInit(folder, MODULES);
  const parameters = [
    ...["-accel", "tcg,thread=multi", "-cpu", "max", "-smp", "2", "-m", `${options.memoryMiB ?? 1_500}`],
    ...["-nodefaults", "-no-reboot", "-display", "none", "-serial", "stdio"],
    ...["-kernel", path.join(PACKAGES, `boot/vmlinuz-${guestKernelRelease()}`)],
    ...["-initrd", makeInitialFiles(folder), "-append", KERNEL_WORDS.join(" ")],
    ...share("host", "/", "readonly=on,multidevs=remap"),
    ...share("shared", folder, "multidevs=forbid"),
  ];
  return startGuest([EMULATOR, ...parameters], options, folder);
}

function share(tag: string, folder: string, more: string): string[] {
  return [
    ...["-fsdev", `local,id=${tag},path=${folder},security_model=none,${more}`],
    ...["-device", `virtio-9p-pci,fsdev=${tag},mount_tag=${tag}`],
  ];
}

/** The archive that the kernel unpacks into its memory first: enough to go on with the host's files. */
function makeInitialFiles(folder: string): string {
  const stage = path.join(folder, "initial");
  const names = ["busybox", "init", "proc", "lower", "upper", "root"];
  for (const name of names.slice(2)) mkdirSync(path.join(stage, name), { recursive: true });
  const busybox = path.join(stage, "busybox");
  copyFileSync(path.join(PACKAGES, "bin/busybox"), busybox);
  const modules = inLoadingOrder(FIRST_MODULES).map((file) => {
    copyFileSync(path.join(MODULES, guestKernelRelease(), file), path.join(stage, path.basename(file)));
    return path.basename(file);
  });
  writeFileSync(path.join(stage, "init"), firstScript(folder, modules), { mode: 0o755 });
  const input = [...names, ...modules].join("\n");
  const archive = execFileSync(busybox, ["cpio", "-o", "-H", "newc"], {
    cwd: stage,
    input,
    stdio: ["pipe", "pipe", "ignore"],
    maxBuffer: 64 * 1024 * 1024,
  });
  writeFileSync(path.join(folder, "initrd"), archive);
  return path.join(folder, "initrd");
}

/** Modules with those that they need before them, as depmod(8) lists them: paths under the release's folder. */
function inLoadingOrder(names: readonly string[]): readonly string[] {
  const listed = readFileSync(path.join(MODULES, guestKernelRelease(), "modules.dep"), "utf8").split("\n");
  const files = names.flatMap((name) => {
    const line = listed.find((each) => each.includes(`/${name}.ko:`));
    if (line === undefined) throw new Error(`Cannot boot a guest: its kernel has no module "${name}"`);
    return line.replace(":", "").trim().split(" ").reverse();
  });
  return [...new Set(files)];
}

function firstScript(folder: string, modules: readonly string[]): string {
  const options = "trans=virtio,version=9p2000.L,msize=512000";
  const steps = [
    "mount -t proc proc /proc",
    ...modules.map((module) => `insmod /${module}`),
    `mount -t 9p -o ${options},ro,cache=loose host /lower`,
    "mount -t tmpfs tmpfs /upper",
    "mkdir /upper/files /upper/work",
    "mount -t overlay -o lowerdir=/lower,upperdir=/upper/files,workdir=/upper/work overlay /root",
    "mount -t devtmpfs dev /root/dev",
    `mount -t 9p -o ${options} shared /root${folder}`,
    `exec /busybox switch_root /root ${folder}/init`,
  ];
  return `#!/busybox sh\n${steps.map((step) => (step.startsWith("exec") ? step : `/busybox ${step}`)).join("\n")}\n`;
}
