import { closeSync, openSync } from "node:fs";
import type { BpfProgram } from "./bpf-program.ts";
import { checkResult, ERRNO, kernelError } from "./kernel-error.ts";
import { loadLibbpf, withLibbpfLog } from "./libbpf.ts";

const INGRESS = 1;
const EGRESS = 2;
const REPLACE = 1;

/** Where packets of a device meet a TC filter. */
export type TcDirection = "ingress" | "egress";

/** One place for a filter: several programs share a device when their priorities differ. */
export interface TcPlace {
  /** Index of the device. */
  readonly deviceIndex: number;
  readonly direction: TcDirection;
  /** 1-65535; lower ones run first. */
  readonly priority: number;
  /** Handle of the filter within its priority. */
  readonly handle: number;
}

/**
 * Puts `program` at a place, in direct-action mode. A filter that is there is replaced without a gap.
 *
 * @returns false when the device has gone meanwhile.
 * @throws ParasausError `KernelError`, `KernelUnsupported`
 */
export function attachTcFilter(place: TcPlace, program: BpfProgram): boolean {
  const action = `attach program "${program.name}" to ${place.direction} of device ${place.deviceIndex}`;
  return withLibbpfLog((log) => {
    const created = loadLibbpf().bpf_tc_hook_create(encodeHook({ ...place, isWholeDevice: true }));
    if (created === -ERRNO.ENODEV) return false;
    if (created !== -ERRNO.EEXIST) checkResult(created, action, log);
    const opts = encodeOpts({
      fd: program.fd,
      flags: REPLACE,
      handle: place.handle,
      priority: place.priority,
    });
    const result = loadLibbpf().bpf_tc_attach(encodeHook(place), opts);
    if (result === -ERRNO.ENODEV) return false;
    checkResult(result, action, log);
    return true;
  });
}

/** The id of the program at a place; undefined when there is none. */
export function queryTcFilter(place: TcPlace): number | undefined {
  return withLibbpfLog((log) => {
    const opts = encodeOpts({ fd: 0, flags: 0, handle: place.handle, priority: place.priority });
    const result = loadLibbpf().bpf_tc_query(encodeHook(place), opts);
    if (isNothingThere(result)) return undefined;
    checkResult(result, `query ${place.direction} of device ${place.deviceIndex}`, log);
    return new Uint32Array(opts.buffer, opts.byteOffset, 8)[4];
  });
}

/** Removes the filter at a place, if any; other filters of the device stay. */
export function detachTcFilter(place: TcPlace): void {
  withLibbpfLog((log) => {
    const opts = encodeOpts({ fd: 0, flags: 0, handle: place.handle, priority: place.priority });
    const result = loadLibbpf().bpf_tc_detach(encodeHook(place), opts);
    if (isNothingThere(result)) return;
    checkResult(result, `detach from ${place.direction} of device ${place.deviceIndex}`, log);
  });
}

/** The kernel answers EINVAL, not ENOENT, where clsact or the priority's chain is missing. */
function isNothingThere(result: number): boolean {
  return [ERRNO.ENOENT, ERRNO.ENODEV, ERRNO.EINVAL].some((errno) => errno === -result);
}

/** `struct bpf_tc_hook`: size, ifindex, attach point, parent. */
function encodeHook(
  place: Omit<TcPlace, "priority" | "handle"> & { readonly isWholeDevice?: boolean },
): Buffer {
  const bytes = Buffer.alloc(24);
  new BigUint64Array(bytes.buffer, bytes.byteOffset, 1)[0] = BigInt(bytes.length);
  const point = place.direction === "ingress" ? INGRESS : EGRESS;
  const words = new Int32Array(bytes.buffer, bytes.byteOffset, 6);
  words.set([place.deviceIndex, place.isWholeDevice ? INGRESS | EGRESS : point], 2);
  return bytes;
}

/** `struct bpf_tc_opts`: size, prog_fd, flags, prog_id, handle, priority. */
function encodeOpts(opts: {
  /** File descriptor number. */
  readonly fd: number;
  readonly flags: number;
  readonly handle: number;
  readonly priority: number;
}): Buffer {
  const bytes = Buffer.alloc(32);
  new BigUint64Array(bytes.buffer, bytes.byteOffset, 1)[0] = BigInt(bytes.length);
  const words = new Uint32Array(bytes.buffer, bytes.byteOffset, 8);
  words.set([opts.fd, opts.flags, 0, opts.handle, opts.priority], 2);
  return bytes;
}

/**
 * Attaches a program to a cgroup and everything below it.
 *
 * @returns the file descriptor of the link; the program stays attached while the link is open or pinned.
 */
export function attachToCgroup(program: BpfProgram, cgroupFolder: string, attachType: number): number {
  const cgroup = openSync(cgroupFolder, "r");
  try {
    const action = `attach program "${program.name}" to cgroup "${cgroupFolder}"`;
    return checkResult(loadLibbpf().bpf_link_create(program.fd, cgroup, attachType, null), action);
  } finally {
    closeSync(cgroup);
  }
}

/** An open link: a program attached somewhere. */
export interface BpfLink {
  /** File descriptor number. */
  readonly fd: number;
  /** Kernel-wide id of the program that it attaches. */
  readonly programIdNumber: number;
  /** Inode number of the cgroup's folder; 0 when the cgroup is gone and the link dead. */
  readonly cgroupInode: bigint;
  close(): void;
}

/** Opens a pinned link; undefined when nothing is pinned there. */
export function openPinnedLink(path: string): BpfLink | undefined {
  const fd = loadLibbpf().bpf_obj_get(path);
  if (fd === -ERRNO.ENOENT) return undefined;
  if (fd < 0) throw kernelError(`open the pinned link "${path}"`, -fd);
  const bytes = Buffer.alloc(64);
  const size = Buffer.alloc(4);
  new Uint32Array(size.buffer, size.byteOffset, 1)[0] = bytes.length;
  checkResult(loadLibbpf().bpf_obj_get_info_by_fd(fd, bytes, size), `describe the link "${path}"`);
  const words = new Uint32Array(bytes.buffer, bytes.byteOffset, 3);
  // struct bpf_link_info: type, id, prog_id, then for cgroups their id, which is the inode number.
  const cgroupInode = new BigUint64Array(bytes.buffer, bytes.byteOffset, 3)[2] ?? 0n;
  return { fd, programIdNumber: words[2] ?? 0, cgroupInode, close: () => closeSync(fd) };
}

/** Puts another program into a link, without a gap. */
export function replaceLinkProgram(link: BpfLink, program: BpfProgram): void {
  checkResult(loadLibbpf().bpf_link_update(link.fd, program.fd, null), `replace program "${program.name}"`);
}
