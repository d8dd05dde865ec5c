import { formatIpv4, formatIpv6 } from "../foundation/index.ts";
import { cString } from "./native.ts";
import { cpuOrder, eachAttribute } from "./netlink-codec.ts";

/** The attributes of one object, read without copying them. What is missing or too short reads as 0 or empty. */
export class Attributes {
  readonly #bytes: Buffer;
  readonly #at: number[] = [];
  readonly #end: number[] = [];

  constructor(bytes: Buffer, from = 0, to = bytes.length) {
    this.#bytes = bytes;
    eachAttribute(bytes, from, to, (type, at, end) => {
      this.#at[type] = at;
      this.#end[type] = end;
    });
  }

  /** Whether it is there with at least so many bytes. */
  has(type: number, bytes = 0): boolean {
    const at = this.#at[type];
    return at !== undefined && (this.#end[type] ?? 0) - at >= bytes;
  }

  /** The attributes within one. */
  nested(type: number): Attributes {
    const at = this.#place(type);
    return new Attributes(this.#bytes, at, this.#end[type] ?? at);
  }

  u8(type: number): number {
    return this.has(type, 1) ? this.#bytes.readUInt8(this.#place(type)) : 0;
  }

  u16(type: number): number {
    return this.has(type, 2) ? cpuOrder.readU16(this.#bytes, this.#place(type)) : 0;
  }

  u32(type: number): number {
    return this.has(type, 4) ? cpuOrder.readU32(this.#bytes, this.#place(type)) : 0;
  }

  /** A counter of 64 bits, or of 32 where the kernel has no more. */
  counter(type: number): bigint {
    if (this.has(type, 8)) return cpuOrder.readU64(this.#bytes, this.#place(type));
    return BigInt(this.u32(type));
  }

  /** 16 bits in network order. */
  port(type: number): number {
    return this.has(type, 2) ? this.#bytes.readUInt16BE(this.#place(type)) : 0;
  }

  /** 32 bits in network order. */
  mask(type: number): number {
    return this.has(type, 4) ? this.#bytes.readUInt32BE(this.#place(type)) : 0;
  }

  address(type: number, family: 4 | 6): string {
    if (!this.has(type, family === 6 ? 16 : 4)) return "";
    const at = this.#place(type);
    return family === 6 ? formatIpv6(this.#bytes, at) : formatIpv4(this.#bytes.readUInt32BE(at));
  }

  /** Text up to its NUL. */
  text(type: number): string {
    const at = this.#place(type);
    return cString(this.#bytes.subarray(at, this.#end[type] ?? at));
  }

  #place(type: number): number {
    return this.#at[type] ?? 0;
  }
}
