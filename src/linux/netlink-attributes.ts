import { formatIpv6 } from "../foundation/index.ts";
import { cpuOrder, eachAttribute } from "./netlink-codec.ts";

/** IPVS and the controller of generic netlink have no higher types. */
const TYPE_COUNT = 32;

/**
 * Reads the attributes of one object after the other without copying them. What is missing or too short reads as 0 or
 * empty.
 */
export class Attributes {
  #bytes: Buffer = Buffer.alloc(0);
  /** Where each type's value begins and ends; 0 = there is none. */
  readonly #at = new Uint32Array(TYPE_COUNT);
  readonly #end = new Uint32Array(TYPE_COUNT);
  readonly #note = (type: number, at: number, end: number) => {
    if (type >= TYPE_COUNT) return;
    this.#at[type] = at;
    this.#end[type] = end;
  };

  /** Goes over to the attributes between `from` and `to`. @returns itself */
  read(bytes: Buffer, from = 0, to = bytes.length): this {
    this.#bytes = bytes;
    this.#at.fill(0);
    eachAttribute(bytes, from, to, this.#note);
    return this;
  }

  /** Whether it is there with at least so many bytes. */
  has(type: number, bytes = 0): boolean {
    const at = this.#at[type] ?? 0;
    return at !== 0 && (this.#end[type] ?? 0) - at >= bytes;
  }

  /** Has `inner` read the attributes within one. @returns `inner` */
  nested(type: number, inner: Attributes): Attributes {
    const at = this.#place(type);
    return inner.read(this.#bytes, at, at === 0 ? 0 : this.#end[type]);
  }

  /** 8 bits. */
  u8(type: number): number {
    return this.has(type, 1) ? this.#bytes.readUInt8(this.#place(type)) : 0;
  }

  /** 16 bits in the CPU's order. */
  u16(type: number): number {
    return this.has(type, 2) ? cpuOrder.readU16(this.#bytes, this.#place(type)) : 0;
  }

  /** 32 bits in the CPU's order. */
  u32(type: number): number {
    return this.has(type, 4) ? cpuOrder.readU32(this.#bytes, this.#place(type)) : 0;
  }

  /** A counter of 64 bits, or of 32 where the kernel has no more. */
  counter(type: number): bigint {
    if (!this.has(type, 8)) return BigInt(this.u32(type));
    const at = this.#place(type);
    const isZero = cpuOrder.readU32(this.#bytes, at) === 0 && cpuOrder.readU32(this.#bytes, at + 4) === 0;
    return isZero ? 0n : cpuOrder.readU64(this.#bytes, at);
  }

  /** 16 bits in network order. */
  port(type: number): number {
    return this.has(type, 2) ? this.#bytes.readUInt16BE(this.#place(type)) : 0;
  }

  /** 32 bits in network order. */
  mask(type: number): number {
    return this.has(type, 4) ? this.#bytes.readUInt32BE(this.#place(type)) : 0;
  }

  /** 128 bits as an address. */
  ipv6(type: number): string {
    return this.has(type, 16) ? formatIpv6(this.#bytes, this.#place(type)) : "";
  }

  /** Text up to its NUL. */
  text(type: number): string {
    const at = this.#place(type);
    if (at === 0) return "";
    const end = this.#end[type] ?? at;
    const nul = this.#bytes.indexOf(0, at);
    return this.#bytes.toString("utf8", at, nul === -1 || nul > end ? end : nul);
  }

  #place(type: number): number {
    return this.#at[type] ?? 0;
  }
}
