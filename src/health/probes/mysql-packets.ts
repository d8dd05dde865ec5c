/** One packet of MySQL's protocol: 3 bytes length, 1 byte sequence number, payload. */
export interface MysqlPacket {
  /** Position in the current exchange, 0-255. */
  readonly sequence: number;
  readonly payload: Buffer;
}

/** What the server said in one packet, as far as a probe cares. */
export type MysqlMessage =
  | { readonly kind: "greeting"; readonly serverVersion: string }
  /** `errorNumber` is the server's, e.g. 1045. */
  | { readonly kind: "error"; readonly errorNumber: number; readonly message: string }
  | { readonly kind: "ok" }
  | { readonly kind: "auth-switch"; readonly plugin: string }
  | { readonly kind: "other" };

/** No packet that a server sends before the end of the login is longer. */
const LONGEST_PACKET_BYTES = 4_096;

/**
 * Takes the first packet off what was received.
 *
 * @returns undefined while it is incomplete, `"garbage"` when it cannot be one.
 */
export function takePacket(
  received: Buffer,
): { readonly packet: MysqlPacket; readonly rest: Buffer } | "garbage" | undefined {
  if (received.length < 4) return undefined;
  const length = received.readUIntLE(0, 3);
  if (length === 0 || length > LONGEST_PACKET_BYTES) return "garbage";
  if (received.length < 4 + length) return undefined;
  const packet = { sequence: received.readUInt8(3), payload: received.subarray(4, 4 + length) };
  return { packet, rest: received.subarray(4 + length) };
}

/** Reads a packet of the connection phase. */
export function readMessage(payload: Buffer): MysqlMessage {
  switch (payload[0]) {
    case 0x00:
      return { kind: "ok" };
    case 0x0a:
      return { kind: "greeting", serverVersion: textUntilZero(payload, 1) };
    case 0xfe:
      return { kind: "auth-switch", plugin: textUntilZero(payload, 1) };
    case 0xff:
      return readError(payload);
    default:
      return { kind: "other" };
  }
}

function readError(payload: Buffer): MysqlMessage {
  if (payload.length < 3) return { kind: "other" };
  const text = payload.toString("latin1", 3).replace(/^#.{5}/, "");
  return { kind: "error", errorNumber: payload.readUInt16LE(1), message: text };
}

function textUntilZero(payload: Buffer, start: number): string {
  const end = payload.indexOf(0, start);
  return payload.toString("latin1", start, end === -1 ? payload.length : end);
}

/** Frames a payload. */
export function framePacket(sequence: number, payload: Buffer): Buffer {
  const header = Buffer.alloc(4);
  header.writeUIntLE(payload.length, 0, 3);
  header.writeUInt8(sequence & 255, 3);
  return Buffer.concat([header, payload]);
}

const CLIENT_LONG_PASSWORD = 0x1;
const CLIENT_PROTOCOL_41 = 0x200;
const CLIENT_SECURE_CONNECTION = 0x8000;
const CLIENT_PLUGIN_AUTH = 0x80000;
const CHARSET_UTF8 = 33;

/** A complete, well-formed login (HandshakeResponse41) with an empty password, in answer to the greeting. */
export function formatLogin(user: string): Buffer {
  const fixed = Buffer.alloc(32);
  fixed.writeUInt32LE(
    CLIENT_LONG_PASSWORD | CLIENT_PROTOCOL_41 | CLIENT_SECURE_CONNECTION | CLIENT_PLUGIN_AUTH,
    0,
  );
  fixed.writeUInt32LE(LONGEST_PACKET_BYTES, 4);
  fixed.writeUInt8(CHARSET_UTF8, 8);
  const tail = `${user}\0\0mysql_native_password\0`;
  return Buffer.concat([fixed, Buffer.from(tail, "latin1")]);
}

/** What "no password" looks like to an authentication plugin; a malformed answer would count as a connection error. */
export function formatEmptyPassword(plugin: string): Buffer {
  if (plugin === "mysql_native_password") return Buffer.alloc(0);
  return Buffer.alloc(plugin === "client_ed25519" ? 64 : 1);
}

/** COM_QUIT: the client leaves in good order. */
export const QUIT_COMMAND = Buffer.from([0x01]);
