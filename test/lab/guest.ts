import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";

const REPOSITORY = path.join(import.meta.dirname, "../..");
const CONSOLE_TAIL_LINES = 40;

/** What a guest, which is a machine with a kernel of its own, is to do. */
export interface GuestOptions {
  /**
   * Shell commands. PID 1 runs them in the repository's folder, as root, with `/proc`, `/sys`, bpffs, cgroup2, an empty
   * `/run` (and in it `$TMPDIR`), loopback up and `modprobe` working. `$SHARED` is the guest's folder on the host.
   */
  readonly script: string;
  /** Then its power is cut. */
  readonly timeoutMs: number;
  readonly memoryMiB?: number;
}

/** How a guest ended. */
export interface GuestEnd {
  /** Exit code of the script; undefined when the guest ended before the script did. */
  readonly exitCode?: number;
  /** The deadline cut its power. */
  readonly isTimedOut: boolean;
  /** All that it printed. */
  readonly console: string;
  readonly durationMs: number;
}

/** A guest that runs. Disposing it cuts its power and removes its folder. */
export interface Guest extends AsyncDisposable {
  /** The folder on the host that the script knows as `$SHARED`. */
  readonly folder: string;
  /** All that it has printed so far. */
  printed(): string;
  /** As when the plug is pulled: what the guest had not written to its disks is gone. */
  cutPower(): void;
  /** Settles when the guest is gone, however it went. */
  readonly ended: Promise<GuestEnd>;
}

/** One way to have a guest. */
export interface GuestKind {
  /** For the names of tests. */
  readonly name: string;
  /** Why none can be booted here, for the names of skipped tests; empty when one can. */
  missing(): string;
  /** @param folder The guest's, of {@link makeGuestFolder}. */
  start(options: GuestOptions, folder: string): Guest;
}

/** An empty folder for a guest, to put in what the script needs. */
export function makeGuestFolder(): string {
  return mkdtempSync(path.join(tmpdir(), "paratest-guest-"));
}

/**
 * Boots a guest and watches over it.
 *
 * @param command The program, with its words, that is the guest's machine. It must have the kernel run `init`, which
 *   {@link writeInit} made.
 */
export function startGuest(command: readonly string[], options: GuestOptions, folder: string): Guest {
  const startMs = performance.now();
  writeFileSync(path.join(folder, "script"), options.script);
  // The guest may be several processes. In a PID namespace they all end with the first, which ends with this process.
  const words = ["--pdeathsig", "KILL", "unshare", "--pid", "--fork", "--kill-child", ...command];
  const child = spawn("setpriv", words, { detached: true, stdio: ["ignore", "pipe", "pipe"] });
  let printed = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding("utf8").on("data", (text: string) => {
      printed += text;
    });
  }
  let isTimedOut = false;
  const deadline = setTimeout(() => {
    isTimedOut = true;
    kill(child);
  }, options.timeoutMs);
  const ended = once(child, "close").then((): GuestEnd => {
    clearTimeout(deadline);
    const exitCode = readExitCode(folder);
    const durationMs = performance.now() - startMs;
    return { ...(exitCode === undefined ? {} : { exitCode }), isTimedOut, console: printed, durationMs };
  });
  return {
    folder,
    ended,
    printed: () => printed,
    cutPower: () => kill(child),
    async [Symbol.asyncDispose]() {
      kill(child);
      await ended;
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** Why a guest did not do what it was booted for; undefined when its script ran to its end with exit code 0. */
export function whyGuestFailed(end: GuestEnd): string | undefined {
  if (end.exitCode === 0) return undefined;
  const tail = end.console.trimEnd().split("\n").slice(-CONSOLE_TAIL_LINES).join("\n");
  const after = `after ${Math.round(end.durationMs / 1000)} s; it printed last:\n${tail}`;
  if (end.exitCode !== undefined) return `The guest's script failed with exit code ${end.exitCode} ${after}`;
  return end.isTimedOut ? `The guest's time was up ${after}` : `The guest died ${after}`;
}

function kill(child: ChildProcess): void {
  if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null) return;
  process.kill(-child.pid, "SIGKILL");
}

function readExitCode(folder: string): number | undefined {
  const file = path.join(folder, "exit-code");
  return existsSync(file) ? Number(readFileSync(file, "utf8")) : undefined;
}

/**
 * Writes `init` into the guest's folder: what PID 1 does once the host's files are its root.
 *
 * @param modules Folder whose entries are named as kernel releases, without a word to the host's own.
 */
export function writeInit(folder: string, modules: string): void {
  const script = `#!/bin/sh
export PATH=/run/guest:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin HOME=/root TMPDIR=/run/tmp
export SHARED=${folder}
mount -t proc proc /proc
mount -t sysfs sys /sys
mount -t tmpfs tmpfs /run
mount -t bpf bpf /sys/fs/bpf
mount -t cgroup2 cgroup2 /sys/fs/cgroup
mkdir -p /run/tmp /run/guest/lib
ln -s ${modules} /run/guest/lib/modules
printf '#!/bin/sh\\nexec /sbin/modprobe -d /run/guest "$@"\\n' > /run/guest/modprobe
chmod +x /run/guest/modprobe
echo /run/guest/modprobe > /proc/sys/kernel/modprobe
echo guest > /proc/sys/kernel/hostname
ip link set lo up
cd ${REPOSITORY}
sh "$SHARED/script"
echo $? > "$SHARED/exit-code"
sync
echo o > /proc/sysrq-trigger
sleep 60
`;
  writeFileSync(path.join(folder, "init"), script, { mode: 0o755 });
}
