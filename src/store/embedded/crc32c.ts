const POLYNOMIAL = 0x82f63b78;
const [BYTE_0, BYTE_1, BYTE_2, BYTE_3] = buildTables();

/**
 * CRC-32C (Castagnoli), four bytes per step.
 *
 * @param seed Result over the bytes before these, to go on from.
 */
export function crc32c(bytes: Uint8Array, seed = 0): number {
  let crc = ~seed;
  let at = 0;
  for (; at + 4 <= bytes.length; at += 4) {
    crc ^=
      byte(bytes, at) |
      (byte(bytes, at + 1) << 8) |
      (byte(bytes, at + 2) << 16) |
      (byte(bytes, at + 3) << 24);
    crc =
      look(BYTE_3, crc & 255) ^
      look(BYTE_2, (crc >>> 8) & 255) ^
      look(BYTE_1, (crc >>> 16) & 255) ^
      look(BYTE_0, crc >>> 24);
  }
  for (; at < bytes.length; at += 1) crc = look(BYTE_0, (crc ^ byte(bytes, at)) & 255) ^ (crc >>> 8);
  return ~crc >>> 0;
}

function byte(bytes: Uint8Array, at: number): number {
  return bytes[at] as number;
}

function look(table: Int32Array, at: number): number {
  return table[at] as number;
}

/** Table n advances the CRC by one byte that is followed by n zero bytes. */
function buildTables(): [Int32Array, Int32Array, Int32Array, Int32Array] {
  const tables: [Int32Array, Int32Array, Int32Array, Int32Array] = [
    new Int32Array(256),
    new Int32Array(256),
    new Int32Array(256),
    new Int32Array(256),
  ];
  for (let value = 0; value < 256; value += 1) {
    let crc = value;
    for (let bit = 0; bit < 8; bit += 1) crc = crc & 1 ? (crc >>> 1) ^ POLYNOMIAL : crc >>> 1;
    tables[0][value] = crc;
  }
  const next = (crc: number) => look(tables[0], crc & 255) ^ (crc >>> 8);
  for (let value = 0; value < 256; value += 1) {
    tables[1][value] = next(look(tables[0], value));
    tables[2][value] = next(look(tables[1], value));
    tables[3][value] = next(look(tables[2], value));
  }
  return tables;
}
