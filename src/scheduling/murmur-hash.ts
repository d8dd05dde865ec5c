/**
 * MurmurHash3_x86_32 of a text of one-byte characters (addresses and ports are ASCII).
 *
 * @param seed 32 bits; different seeds give independent hashes.
 * @returns An unsigned 32-bit number.
 * @see Austin Appleby, smhasher, MurmurHash3.cpp (public domain); checked against its published vectors.
 */
export function murmurHash32(text: string, seed: number): number {
  const blocksEnd = text.length & ~3;
  let hash = seed | 0;
  for (let at = 0; at < blocksEnd; at += 4) {
    const mixed = hash ^ scramble(littleEndian(text, at, at + 4));
    hash = (Math.imul((mixed << 13) | (mixed >>> 19), 5) + 0xe6546b64) | 0;
  }
  hash ^= scramble(littleEndian(text, blocksEnd, text.length));
  return finalize(hash ^ text.length);
}

function littleEndian(text: string, from: number, end: number): number {
  let number = 0;
  for (let at = end - 1; at >= from; at -= 1) number = (number << 8) | (text.charCodeAt(at) & 255);
  return number;
}

function scramble(block: number): number {
  const product = Math.imul(block, 0xcc9e2d51);
  return Math.imul((product << 15) | (product >>> 17), 0x1b873593);
}

function finalize(hash: number): number {
  let mixed = hash;
  mixed = Math.imul(mixed ^ (mixed >>> 16), 0x85ebca6b);
  mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2ae35);
  return (mixed ^ (mixed >>> 16)) >>> 0;
}
