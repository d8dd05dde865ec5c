import { closeSync } from "node:fs";
import { checkResult, ERRNO } from "./kernel-error.ts";
import { loadLibbpf } from "./libbpf.ts";
import { addressOf, bytesOf, cString } from "./native.ts";

/** One eBPF program of the kernel, open. */
export interface BpfProgram {
  /** As the kernel keeps it: at most 15 characters. */
  readonly name: string;
  /** File descriptor number. */
  readonly fd: number;
  /** Kernel-wide id, as bpftool shows it. */
  readonly idNumber: number;
  close(): void;
}

/** What one test run answered. */
export interface TestRunResult {
  /** The program's return value. */
  readonly returnCode: number;
  /** The packet afterwards; empty for programs without one. */
  readonly output: Buffer;
  /** How long it ran, by the kernel's clock, nanoseconds. */
  readonly durationNs: number;
}

/** Opens a pinned program; undefined when nothing is pinned there. */
export function openPinnedProgram(path: string): BpfProgram | undefined {
  const fd = loadLibbpf().bpf_obj_get(path);
  if (fd === -ERRNO.ENOENT) return undefined;
  return programOfFd(checkResult(fd, `open the pinned program "${path}"`));
}

/** Takes over a program's file descriptor. */
export function programOfFd(fd: number): BpfProgram {
  const bytes = Buffer.alloc(232);
  const size = Uint32Array.of(bytes.length);
  checkResult(loadLibbpf().bpf_obj_get_info_by_fd(fd, bytes, bytesOf(size)), "describe a program");
  const idNumber = new Uint32Array(bytes.buffer, bytes.byteOffset, 2)[1] ?? 0;
  return { name: cString(bytes.subarray(64, 80)), fd, idNumber, close: () => closeSync(fd) };
}

/** The name of the program with this id; undefined when it is gone. */
export function programNameOf(idNumber: number): string | undefined {
  const fd = loadLibbpf().bpf_prog_get_fd_by_id(idNumber);
  if (fd < 0) return undefined;
  const program = programOfFd(fd);
  program.close();
  return program.name;
}

/** Pins a program, link or map under a path of bpffs, from where the kernel keeps it alive without us. */
export function pinObject(fd: number, path: string): void {
  checkResult(loadLibbpf().bpf_obj_pin(fd, path), `pin "${path}"`);
}

/**
 * Runs a program once.
 *
 * @param input.packet For packet programs; at least 14 bytes.
 * @param input.context For SYSCALL programs: their argument, changed in place.
 */
export function testRun(
  program: BpfProgram,
  input: { readonly packet?: Uint8Array; readonly context?: Uint8Array; readonly outputBytes?: number },
): TestRunResult {
  const packet = input.packet ?? null;
  const context = input.context ?? null;
  const output = Buffer.alloc(packet === null ? 0 : (input.outputBytes ?? packet.length + 256));
  const opts = Buffer.alloc(80);
  const wide = new BigUint64Array(opts.buffer, opts.byteOffset, 10);
  const words = new Uint32Array(opts.buffer, opts.byteOffset, 20);
  wide[0] = BigInt(opts.length);
  wide[1] = addressOf(packet);
  wide[2] = addressOf(output);
  words[6] = packet?.length ?? 0;
  words[7] = output.length;
  wide[4] = addressOf(context);
  words[12] = context?.length ?? 0;
  words[15] = packet === null ? 0 : 1;
  checkResult(loadLibbpf().bpf_prog_test_run_opts(program.fd, opts), `run program "${program.name}"`);
  return { returnCode: words[14] ?? 0, output: output.subarray(0, words[7]), durationNs: words[16] ?? 0 };
}
