import { align, cpuOrder, HEADER_BYTES, NLM_F_ACK, NLM_F_REQUEST } from "./netlink-codec.ts";

const NLA_F_NESTED = 0x8000;
/** Fits what netlink sends at once by default (`net.core.wmem_default`), several times. */
const BATCH_BYTES = 64 * 1024;
/** Room that one more message may need. */
const MESSAGE_BYTES = 1024;
/**
 * Should the kernel refuse every message of a batch, then its answers, of which each takes up to 1,280 bytes of it, still
 * fit the receive buffer that every process may have (twice `net.core.rmem_max`, 425,984 bytes).
 */
const BATCH_MESSAGES = 256;

/** Requests one behind the other, for one send. Its memory is used again after {@link MessageBatch.clear}. */
export class MessageBatch {
  /** Where {@link reserve} leaves room for values. */
  readonly bytes = Buffer.alloc(BATCH_BYTES);
  #used = 0;
  #count = 0;
  #messageAt = 0;

  /** How many messages it has. */
  get count(): number {
    return this.#count;
  }

  /** No further message may begin. */
  get isFull(): boolean {
    return this.#count === BATCH_MESSAGES || this.#used + MESSAGE_BYTES > BATCH_BYTES;
  }

  /** Begins a message; `header` is what comes between netlink's own header and the attributes. */
  begin(type: number, header: Uint8Array): void {
    this.#messageAt = this.#used;
    this.bytes.fill(0, this.#used, this.#used + HEADER_BYTES);
    cpuOrder.writeU16(this.bytes, type, this.#used + 4);
    cpuOrder.writeU16(this.bytes, NLM_F_REQUEST, this.#used + 6);
    this.bytes.set(header, this.#used + HEADER_BYTES);
    this.#used += HEADER_BYTES + header.length;
  }

  /** Ends the message that was begun. */
  end(): void {
    cpuOrder.writeU32(this.bytes, this.#used - this.#messageAt, this.#messageAt);
    this.#count += 1;
  }

  /** Adds an attribute of zeros. @returns where its value begins in {@link bytes} */
  reserve(type: number, length: number): number {
    const at = this.#used;
    cpuOrder.writeU16(this.bytes, 4 + length, at);
    cpuOrder.writeU16(this.bytes, type, at + 2);
    this.#used += align(4 + length);
    this.bytes.fill(0, at + 4, this.#used);
    return at + 4;
  }

  /** Adds an attribute with a number of 8 bits. */
  putU8(type: number, value: number): void {
    this.bytes.writeUInt8(value, this.reserve(type, 1));
  }

  /** Adds an attribute with a number of 16 bits in the CPU's order. */
  putU16(type: number, value: number): void {
    cpuOrder.writeU16(this.bytes, value, this.reserve(type, 2));
  }

  /** Adds an attribute with a number of 16 bits in network order. */
  putPort(type: number, value: number): void {
    this.bytes.writeUInt16BE(value, this.reserve(type, 2));
  }

  /** Adds an attribute with a number of 32 bits in the CPU's order. */
  putU32(type: number, value: number): void {
    cpuOrder.writeU32(this.bytes, value, this.reserve(type, 4));
  }

  /** Adds an attribute with text that ends with NUL. */
  putText(type: number, text: string): void {
    const at = this.reserve(type, Buffer.byteLength(text) + 1);
    this.bytes.write(text, at);
  }

  /** Adds an attribute that holds what `fill` adds. */
  nest(type: number, fill: () => void): void {
    const at = this.#used;
    this.reserve(type | NLA_F_NESTED, 0);
    fill();
    cpuOrder.writeU16(this.bytes, this.#used - at, at);
  }

  /** Numbers the messages from `firstSequence` on and asks for an answer to the last. @returns what to send */
  seal(firstSequence: number): Buffer {
    for (let at = 0, index = 0; at < this.#used; at += cpuOrder.readU32(this.bytes, at), index += 1) {
      cpuOrder.writeU32(this.bytes, firstSequence + index, at + 8);
      if (index === this.#count - 1) cpuOrder.writeU16(this.bytes, NLM_F_REQUEST | NLM_F_ACK, at + 6);
    }
    return this.bytes.subarray(0, this.#used);
  }

  /** Takes everything out. */
  clear(): void {
    this.#used = 0;
    this.#count = 0;
  }
}
