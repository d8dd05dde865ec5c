import { createRequire } from "node:module";
import { ParasausError } from "../foundation/index.ts";

type Koffi = typeof import("koffi");
/** A C function: numbers, byte arrays and addresses in; a number or an address out. */
export type NativeFunction = (...parameters: readonly NativeValue[]) => number;
/** What may be handed to C. An address is a bigint; a byte array is lent for the time of the call. */
export type NativeValue = number | bigint | string | Uint8Array | null;
/** Functions of one library by name. */
export type NativeLibrary<Name extends string> = Readonly<Record<Name, NativeFunction>>;

/** Runs `make` at the first call and returns the same value from then on. */
export function once<Value>(make: () => Value): () => Value {
  let made: { readonly value: Value } | undefined;
  return () => {
    made ??= { value: make() };
    return made.value;
  };
}

/** koffi, loaded at first use: a machine without it can still run everything that needs no kernel. */
export const loadKoffi = once((): Koffi => {
  if (process.platform !== "linux") {
    throw new ParasausError(
      "KernelUnsupported",
      `Cannot program the kernel: this is ${process.platform}, and Parasaus forwards on Linux only`,
    );
  }
  try {
    return createRequire(import.meta.url)("koffi") as Koffi;
  } catch (cause) {
    throw new ParasausError(
      "KernelUnsupported",
      `Cannot program the kernel: the package koffi has no binary for ${process.platform}-${process.arch}`,
      { cause },
    );
  }
});

/**
 * Opens a shared library and binds `signatures`, which are C prototypes keyed by their name.
 *
 * @param file Name for the dynamic loader, with its major version: `libbpf.so.1`; null = what Node itself is linked to.
 * @param remedy What to install when it is missing, as a sentence.
 */
export function bindLibrary<Name extends string>(
  file: string | null,
  remedy: string,
  signatures: Readonly<Record<Name, string>>,
): NativeLibrary<Name> {
  const koffi = loadKoffi();
  try {
    const library = koffi.load(file);
    const bound = Object.entries<string>(signatures).map(([name, prototype]) => [
      name,
      library.func(prototype),
    ]);
    return Object.fromEntries(bound) as NativeLibrary<Name>;
  } catch (cause) {
    const found = cause instanceof Error ? cause.message : String(cause);
    throw new ParasausError("KernelUnsupported", `Cannot open "${file ?? "libc"}": ${found}. ${remedy}`, {
      cause,
    });
  }
}

/** The address of a byte array's memory, for C structures that point at it; it must outlive the call. */
export function addressOf(bytes: Uint8Array | null): bigint {
  return bytes === null || bytes.length === 0 ? 0n : loadKoffi().address(bytes);
}

/** `errno` as the last C call of this thread left it. */
export function lastErrno(): number {
  return loadKoffi().errno();
}

/** The address that a C function returned; 0 for NULL. */
export function asAddress(returned: unknown): bigint {
  return typeof returned === "bigint" ? returned : 0n;
}

/** The text that a C function returned; empty for NULL. */
export function asText(returned: unknown): string {
  return typeof returned === "string" ? returned : "";
}

/** The text up to the first NUL. */
export function cString(bytes: Uint8Array): string {
  const end = bytes.indexOf(0);
  return Buffer.from(bytes.subarray(0, end === -1 ? bytes.length : end)).toString("utf8");
}

/** The same memory as bytes. */
export function bytesOf(words: Uint32Array | BigUint64Array): Uint8Array {
  return new Uint8Array(words.buffer, words.byteOffset, words.byteLength);
}
