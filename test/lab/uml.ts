import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";

const KERNEL = "/usr/bin/linux.uml";
const REPOSITORY = path.join(import.meta.dirname, "../..");
const CONSOLE_TAIL_LINES = 40;

/** What a user-mode-linux guest is to do. Its root is the host's file system: what it writes there stays. */
export interface UmlOptions {
  /**
   * Shell commands. PID 1 runs them in the repository's folder, as root, with `/proc`, `/sys`, bpffs, cgroup2, an empty
   * `/run` (and in it `$TMPDIR`), loopback up and `modprobe` working. `$SHARED` is the guest's folder on the host.
   */
  readonly script: string;
  /** Then its power is cut. */
  readonly timeoutMs: number;
  /** Image files on the host, in the guest `/dev/ubda`, `/dev/ubdb`, ... */
  readonly disks?: readonly string[];
  /** Default 900. */
  readonly memoryMiB?: number;
}

/** How a guest ended. */
export interface UmlEnd {
  /** Exit code of the script; undefined when the guest ended before the script did. */
  readonly exitCode?: number;
  /** The deadline cut its power. */
  readonly isTimedOut: boolean;
  /** All that it printed. */
  readonly console: string;
  readonly durationMs: number;
}

/** A guest that runs. Disposing it cuts its power and removes its folder. */
export interface UmlGuest extends AsyncDisposable {
  /** The folder on the host that the script knows as `$SHARED`. */
  readonly folder: string;
  /** All that it has printed so far. */
  printed(): string;
  /** As when the plug is pulled: what the guest had not written to its disks is gone. */
  cutPower(): void;
  /** Settles when the guest is gone, however it went. */
  readonly ended: Promise<UmlEnd>;
}

/** Why no guest can be booted here, for the names of skipped tests; empty when one can. */
export function missingForUml(): string {
  if (process.getuid?.() !== 0) return " (skipped: user-mode-linux tests need root)";
  return existsSync(KERNEL) ? "" : " (skipped: user-mode-linux is not installed)";
}

/** An empty folder for {@link startUml}, to put in what the script needs. */
export function makeUmlFolder(): string {
  return mkdtempSync(path.join(tmpdir(), "paratest-uml-"));
}

/** Boots Debian's user-mode-linux: kernel 6.1, one CPU, no BTF, no JIT. */
export function startUml(options: UmlOptions, folder = makeUmlFolder()): UmlGuest {
  const startMs = performance.now();
  writeFileSync(path.join(folder, "init"), initScript(folder), { mode: 0o755 });
  writeFileSync(path.join(folder, "script"), options.script);
  // The guest is several processes. In a PID namespace they all end with the first, which ends with this process.
  const words = ["--pdeathsig", "KILL", "unshare", "--pid", "--fork", "--kill-child", KERNEL];
  const child = spawn("setpriv", [...words, ...bootParameters(options, folder)], {
    detached: true,
    stdio: ["ignore", "pipe", "pipe"],
  });
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
  const ended = once(child, "close").then((): UmlEnd => {
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
export function whyUmlFailed(end: UmlEnd): string | undefined {
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

function bootParameters({ memoryMiB = 900, disks = [] }: UmlOptions, folder: string): string[] {
  return [
    `mem=${memoryMiB}M`,
    ...["root=/dev/root", "rootfstype=hostfs", "rootflags=/", "rw", `init=${folder}/init`],
    ...["con0=fd:0,fd:1", "con=null", "quiet", `uml_dir=${folder}`, "umid=guest"],
    ...disks.map((image, index) => `ubd${index}=${image}`),
  ];
}

/** Modules are found where Debian's package has them, without a word to the host's file system. */
function initScript(folder: string): string {
  return `#!/bin/sh
export PATH=/run/uml:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin HOME=/root TMPDIR=/run/tmp
export SHARED=${folder}
mount -t proc proc /proc
mount -t sysfs sys /sys
mount -t tmpfs tmpfs /run
mount -t bpf bpf /sys/fs/bpf
mount -t cgroup2 cgroup2 /sys/fs/cgroup
mkdir -p /run/tmp /run/uml/lib
ln -s /usr/lib/uml/modules /run/uml/lib/modules
printf '#!/bin/sh\\nexec /sbin/modprobe -d /run/uml "$@"\\n' > /run/uml/modprobe
chmod +x /run/uml/modprobe
echo /run/uml/modprobe > /proc/sys/kernel/modprobe
ip link set lo up
cd ${REPOSITORY}
sh "$SHARED/script"
echo $? > "$SHARED/exit-code"
sync
echo o > /proc/sysrq-trigger
sleep 60
`;
}
