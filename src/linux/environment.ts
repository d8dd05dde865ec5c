import { closeSync, existsSync, readFileSync, statfsSync, writeFileSync } from "node:fs";
import { ParasausError } from "../foundation/index.ts";
import { callLibc, loadLibc } from "./libc.ts";
import { bytesOf } from "./native.ts";

const BPF_FS_MAGIC = 0xcafe4a11;
const AF_INET = 2;
const SOCK_DGRAM = 2;
const SOCK_CLOEXEC = 0o2000000;
const SOL_SOCKET = 1;
const SO_NETNS_COOKIE = 71;

/**
 * Mounts bpffs at `folder` unless it is mounted there already.
 *
 * @throws ParasausError `KernelUnsupported` where that is not possible
 */
export function ensureBpfFs(folder = "/sys/fs/bpf"): void {
  if (!existsSync(folder)) {
    throw new ParasausError(
      "KernelUnsupported",
      `Cannot mount bpffs: there is no "${folder}"; mount sysfs first`,
    );
  }
  if (statfsSync(folder).type === BPF_FS_MAGIC) return;
  callLibc(`mount bpffs at "${folder}"`, () => loadLibc().mount("bpf", folder, "bpf", 0, "mode=0700"));
}

/**
 * Where the cgroup2 hierarchy is mounted: not `/sys/fs/cgroup` on a machine that has both versions.
 *
 * @returns undefined where there is none.
 */
export function findCgroup2Root(
  mountInfo = readFileSync("/proc/self/mountinfo", "utf8"),
): string | undefined {
  const line = mountInfo.split("\n").find((text) => / - cgroup2 /.test(text));
  return line
    ?.split(" ")[4]
    ?.replace(/\\([0-7]{3})/g, (_, octal: string) => String.fromCharCode(Number.parseInt(octal, 8)));
}

/** The kernel's name of this process's network namespace, the one that `bpf_get_netns_cookie` gives. */
export function netnsCookie(): bigint {
  const libc = loadLibc();
  const fd = callLibc("open a socket", () => libc.socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  try {
    const cookie = new BigUint64Array(1);
    const size = Uint32Array.of(8);
    callLibc("read the network namespace's cookie", () =>
      libc.getsockopt(fd, SOL_SOCKET, SO_NETNS_COOKIE, bytesOf(cookie), bytesOf(size)),
    );
    return cookie[0] ?? 0n;
  } finally {
    closeSync(fd);
  }
}

/**
 * The value of a sysctl.
 *
 * @param name As sysctl(8) writes it: `net.ipv4.ip_local_port_range`.
 * @returns undefined where the kernel has none.
 */
export function readSysctl(name: string): string | undefined {
  try {
    return readFileSync(sysctlFile(name), "utf8").trim();
  } catch {
    return undefined;
  }
}

/**
 * Writes a sysctl and reads it back.
 *
 * @throws ParasausError `KernelError` when the kernel refuses it or keeps another value
 */
export function writeSysctl(name: string, value: string): void {
  try {
    writeFileSync(sysctlFile(name), value);
  } catch (cause) {
    throw new ParasausError("KernelError", `Cannot set sysctl "${name}" to "${value}"`, { cause });
  }
  const found = readSysctl(name);
  if (found === value) return;
  throw new ParasausError(
    "KernelError",
    `Cannot set sysctl "${name}" to "${value}": it reads "${found ?? ""}"`,
  );
}

function sysctlFile(name: string): string {
  return `/proc/sys/${name.replaceAll(".", "/")}`;
}
