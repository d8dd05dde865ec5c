import { ERRNO, kernelError } from "./kernel-error.ts";
import { bindLibrary, lastErrno, once } from "./native.ts";

const F_DUPFD_CLOEXEC = 1030;

/** The C library's functions that Node does not offer; every one is thread-safe. */
export const loadLibc = once(() =>
  bindLibrary(null, "Run on Linux", {
    fcntl: "int fcntl(int fd, int command, int parameter)",
    socket: "int socket(int family, int type, int protocol)",
    bind: "int bind(int fd, const void *address, uint32_t bytes)",
    sendto:
      "long sendto(int fd, const void *message, size_t bytes, int flags, const void *address, uint32_t size)",
    recv: "long recv(int fd, void *message, size_t bytes, int flags)",
    recvmmsg: "int recvmmsg(int fd, void *headers, uint32_t count, int flags, void *timeout)",
    setsockopt: "int setsockopt(int fd, int level, int option, const void *value, uint32_t bytes)",
    getsockopt: "int getsockopt(int fd, int level, int option, void *value, void *bytes)",
    mount:
      "int mount(const char *source, const char *target, const char *type, unsigned long flags, const char *options)",
    vsnprintf: "int vsnprintf(void *line, size_t bytes, void *format, void *parameters)",
  }),
);

/** Calls until it is not interrupted by a signal; throws on any other failure. */
export function callLibc(action: string, call: () => number): number {
  for (;;) {
    const result = call();
    if (result >= 0) return result;
    const errno = lastErrno();
    if (errno !== ERRNO.EINTR) throw kernelError(action, errno);
  }
}

/** A second file descriptor of the same object, not inherited by child programs. */
export function duplicateFd(fd: number): number {
  return callLibc(`duplicate file descriptor ${fd}`, () => loadLibc().fcntl(fd, F_DUPFD_CLOEXEC, 3));
}
