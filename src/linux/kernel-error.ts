import { getSystemErrorName } from "node:util";
import { type ErrorCode, ParasausError } from "../foundation/index.ts";

/** errno values that callers decide on. */
export const ERRNO = {
  EPERM: 1,
  ENOENT: 2,
  ESRCH: 3,
  EINTR: 4,
  E2BIG: 7,
  EBADF: 9,
  EAGAIN: 11,
  ENOMEM: 12,
  EACCES: 13,
  EBUSY: 16,
  EEXIST: 17,
  ENODEV: 19,
  EINVAL: 22,
  ENOSPC: 28,
  ERANGE: 34,
  ENOSYS: 38,
  EMSGSIZE: 90,
  EPROTONOSUPPORT: 93,
  EOPNOTSUPP: 95,
  EAFNOSUPPORT: 97,
  ENETUNREACH: 101,
  ENOBUFS: 105,
  EHOSTUNREACH: 113,
  /** The kernel's own ENOTSUPP, which no C library knows. */
  ENOTSUPP: 524,
} as const;

const UNSUPPORTED: ReadonlySet<number> = new Set([
  // As root in a container without capabilities.
  ERRNO.EPERM,
  ERRNO.ENOSYS,
  ERRNO.EOPNOTSUPP,
  ERRNO.EPROTONOSUPPORT,
  ERRNO.ENOTSUPP,
]);

const MEANING: Readonly<Record<number, string>> = {
  [ERRNO.EPERM]: "not permitted; run as root, or with CAP_BPF, CAP_NET_ADMIN, CAP_NET_RAW and CAP_PERFMON",
  [ERRNO.EACCES]: "refused by the kernel",
  [ERRNO.ENOENT]: "no such object",
  [ERRNO.ENODEV]: "no such device",
  [ERRNO.E2BIG]: "the table is full",
  [ERRNO.ENOSPC]: "no room",
  [ERRNO.ENOMEM]: "out of kernel memory, or over the locked-memory limit",
  [ERRNO.EINVAL]: "the kernel found the request invalid",
  [ERRNO.ENETUNREACH]: "no route",
};

/** Name of an errno value: `ENOENT`. */
export function errnoName(errno: number): string {
  if (errno === ERRNO.ENOTSUPP) return "ENOTSUPP";
  return errno > 0 ? getSystemErrorName(-errno) : `errno ${errno}`;
}

/** What an errno value mostly means, in words; undefined where its name says it. */
export function errnoMeaning(errno: number): string | undefined {
  return MEANING[errno];
}

/**
 * Turns an errno value into the error that callers see.
 *
 * @param action What was tried, with the object's name: `attach "tc_ingress" to eth0`.
 * @param errno Positive errno value.
 * @param detail What else the kernel said: a verifier's log, an extended acknowledgement.
 */
export function kernelError(action: string, errno: number, detail = ""): ParasausError {
  const code: ErrorCode = UNSUPPORTED.has(errno) ? "KernelUnsupported" : "KernelError";
  const meaning = errnoMeaning(errno);
  const found = meaning === undefined ? errnoName(errno) : `${errnoName(errno)} (${meaning})`;
  return new ParasausError(code, `Cannot ${action}: ${found}${detail === "" ? "" : `: ${detail}`}`, {
    cause: new KernelErrno(errno),
  });
}

/** The errno behind a kernel error, kept as its cause. */
class KernelErrno extends Error {
  override readonly name = "KernelErrno";
  readonly errno: number;

  constructor(errno: number) {
    super(errnoName(errno));
    this.errno = errno;
  }
}

/** The errno that an error of this room was made from; undefined for any other error. */
export function errnoOf(failure: unknown): number | undefined {
  const cause = failure instanceof Error ? failure.cause : undefined;
  return cause instanceof KernelErrno ? cause.errno : undefined;
}

/** Throws unless `result`, which is a count or a negative errno as libbpf returns them, is a success. */
export function checkResult(result: number, action: string, detail?: () => string): number {
  if (result < 0) throw kernelError(action, -result, detail?.());
  return result;
}
