import { BinaryReader, BinaryWriter, WireType } from "@bufbuild/protobuf/wire";

/** Reads one field of a message. */
export type FieldReader = (reader: BinaryReader) => void;

/** Writes a message. */
export function encode(write: (writer: BinaryWriter) => void): Buffer {
  const writer = new BinaryWriter();
  write(writer);
  return bufferOf(writer.finish());
}

/** Reads a message: each field by the reader under its number; what has none is skipped. */
export function decode(bytes: Uint8Array, fields: Readonly<Record<number, FieldReader>>): void {
  const reader = new BinaryReader(bytes);
  while (reader.pos < reader.len) {
    const [number, wireType] = reader.tag();
    const read = fields[number];
    if (read) read(reader);
    else reader.skip(wireType, number);
  }
}

/** Writes an embedded message. */
export function writeMessage(
  writer: BinaryWriter,
  field: number,
  write: (writer: BinaryWriter) => void,
): void {
  writer.tag(field, WireType.LengthDelimited).fork();
  write(writer);
  writer.join();
}

/** Writes text as `bytes`, which is what etcd's keys and values are. */
export function writeText(writer: BinaryWriter, field: number, text: string): void {
  if (text !== "") writer.tag(field, WireType.LengthDelimited).bytes(Buffer.from(text));
}

/** Writes an `int64`, 0 too: inside a `oneof` it means something. */
export function writeInteger(writer: BinaryWriter, field: number, value: number | bigint): void {
  writer.tag(field, WireType.Varint).int64(value);
}

/** Writes a `bool` or an `enum`; 0 and false are left out, as protobuf has it. */
export function writeFlag(writer: BinaryWriter, field: number, value: boolean | number): void {
  if (value) writer.tag(field, WireType.Varint).uint32(Number(value));
}

/** Reads `bytes` as UTF-8 text. */
export function readText(reader: BinaryReader): string {
  return bufferOf(reader.bytes()).toString("utf8");
}

/** Reads an `int64` that counts something: revisions and numbers of keys stay far below 2^53. */
export function readInteger(reader: BinaryReader): number {
  return Number(reader.int64());
}

function bufferOf(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
