import { endianness } from "node:os";

/**
 * Fields of a C structure in order. `be16` and `ip` are in network byte order, the others in the CPU's;
 * `uid`, `mac` and the like are `bytes:N`; `pad:N` is padding.
 */
type FieldKind =
  | "u8"
  | "u16"
  | "u32"
  | "s32"
  | "u64"
  | "s64"
  | "be16"
  | "ip"
  | `bytes:${number}`
  | `pad:${number}`;
type FieldValue<Kind> = Kind extends "u64" | "s64"
  ? bigint
  : Kind extends "ip"
    ? string
    : Kind extends `bytes:${number}`
      ? string
      : number;
type Fields = Readonly<Record<string, FieldKind>>;
/** Bytes are hexadecimal text, addresses dotted quads. */
export type RecordOf<Shape extends Fields> = { -readonly [Name in keyof Shape]: FieldValue<Shape[Name]> };

const SIZES: Readonly<Record<string, number>> = {
  u8: 1,
  u16: 2,
  u32: 4,
  s32: 4,
  u64: 8,
  s64: 8,
  be16: 2,
  ip: 4,
};
const isLittle = endianness() === "LE";

export interface Codec<Shape extends Fields> {
  readonly sizeBytes: number;
  /** Where each field begins. */
  readonly offsets: Readonly<Record<keyof Shape, number>>;
  /** Fields that are left out are zero. */
  encode(value: Partial<RecordOf<Shape>>): Buffer;
  decode(bytes: Uint8Array): RecordOf<Shape>;
}

export function record<const Shape extends Fields>(shape: Shape): Codec<Shape> {
  const places = placesOf(shape);
  const sizeBytes = places.reduce((end, place) => Math.max(end, place.at + place.size), 0);
  return {
    sizeBytes,
    offsets: Object.fromEntries(places.map(({ name, at }) => [name, at])) as Record<keyof Shape, number>,
    encode(value) {
      const bytes = Buffer.alloc(sizeBytes);
      const given: Readonly<Record<string, unknown>> = value;
      for (const { name, kind, at } of places)
        if (given[name] !== undefined) put(bytes, at, kind, given[name]);
      return bytes;
    },
    decode(bytes) {
      const view = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
      const named = places.filter(({ kind }) => !kind.startsWith("pad:"));
      const entries = named.map(({ name, kind, at, size }) => [name, take(view, at, kind, size)]);
      return Object.fromEntries(entries) as RecordOf<Shape>;
    },
  };
}

function placesOf(shape: Fields) {
  let at = 0;
  return Object.entries(shape).map(([name, kind]) => {
    const size = SIZES[kind] ?? Number(kind.split(":")[1]);
    const place = { name, kind, at, size };
    at += size;
    return place;
  });
}

function put(bytes: Buffer, at: number, kind: FieldKind, value: unknown): void {
  if (kind === "ip") Buffer.from(String(value).split(".").map(Number)).copy(bytes, at);
  else if (kind === "be16") bytes.writeUInt16BE(Number(value), at);
  else if (kind === "u8") bytes.writeUInt8(Number(value), at);
  else if (kind.startsWith("bytes:")) Buffer.from(String(value), "hex").copy(bytes, at);
  else if (kind === "u64" || kind === "s64") putWide(bytes, at, BigInt.asUintN(64, BigInt(value as bigint)));
  else putNarrow(bytes, at, SIZES[kind] ?? 4, Number(value));
}

function putWide(bytes: Buffer, at: number, value: bigint): void {
  if (isLittle) bytes.writeBigUInt64LE(value, at);
  else bytes.writeBigUInt64BE(value, at);
}

function putNarrow(bytes: Buffer, at: number, size: number, value: number): void {
  const unsigned = value < 0 ? value + 2 ** (8 * size) : value;
  if (isLittle) bytes.writeUIntLE(unsigned, at, size);
  else bytes.writeUIntBE(unsigned, at, size);
}

function take(bytes: Buffer, at: number, kind: FieldKind, size: number): unknown {
  if (kind === "ip") return [...bytes.subarray(at, at + 4)].join(".");
  if (kind === "be16") return bytes.readUInt16BE(at);
  if (kind.includes(":")) return bytes.subarray(at, at + size).toString("hex");
  if (size === 8) {
    const wide = isLittle ? bytes.readBigUInt64LE(at) : bytes.readBigUInt64BE(at);
    return kind === "s64" ? BigInt.asIntN(64, wide) : wide;
  }
  if (kind === "s32") return isLittle ? bytes.readInt32LE(at) : bytes.readInt32BE(at);
  return isLittle ? bytes.readUIntLE(at, size) : bytes.readUIntBE(at, size);
}
