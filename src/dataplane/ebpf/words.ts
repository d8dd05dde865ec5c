import { endianness } from "node:os";

const IS_LITTLE = endianness() === "LE";
const TWO_32 = 2 ** 32;

/** Reads and writes the CPU's byte order; addresses and ports are read with Node's own big-endian functions. */
export const words = {
  readU32: (bytes: Buffer, at: number) => (IS_LITTLE ? bytes.readUInt32LE(at) : bytes.readUInt32BE(at)),
  writeU32: (bytes: Buffer, value: number, at: number) =>
    IS_LITTLE ? bytes.writeUInt32LE(value >>> 0, at) : bytes.writeUInt32BE(value >>> 0, at),
  writeI32: (bytes: Buffer, value: number, at: number) =>
    IS_LITTLE ? bytes.writeInt32LE(value, at) : bytes.writeInt32BE(value, at),
  writeU16: (bytes: Buffer, value: number, at: number) =>
    IS_LITTLE ? bytes.writeUInt16LE(value, at) : bytes.writeUInt16BE(value, at),
  /** Exact up to 2^53: as nanoseconds, 104 days; beyond that within 2 ns. */
  readU64: (bytes: Buffer, at: number) =>
    IS_LITTLE
      ? bytes.readUInt32LE(at + 4) * TWO_32 + bytes.readUInt32LE(at)
      : bytes.readUInt32BE(at) * TWO_32 + bytes.readUInt32BE(at + 4),
  readI64: (bytes: Buffer, at: number) =>
    Number(IS_LITTLE ? bytes.readBigInt64LE(at) : bytes.readBigInt64BE(at)),
  readBigU64: (bytes: Buffer, at: number) =>
    IS_LITTLE ? bytes.readBigUInt64LE(at) : bytes.readBigUInt64BE(at),
  writeBigU64: (bytes: Buffer, value: bigint, at: number) =>
    IS_LITTLE ? bytes.writeBigUInt64LE(value, at) : bytes.writeBigUInt64BE(value, at),
};

/** A u32 as the key of an array map. */
export function indexKey(index: number): Buffer {
  const key = Buffer.alloc(4);
  words.writeU32(key, index, 0);
  return key;
}
