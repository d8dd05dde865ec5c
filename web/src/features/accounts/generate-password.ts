/** Letters and digits that cannot be mistaken for one another. */
const ALPHABET = "abcdefghijkmnpqrstuvwxyz23456789";
const LENGTH = 20;

/** A password of 100 random bits: `k3mz-…`, in groups of five so that it can be read out. */
export function generatePassword(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(LENGTH));
  const letters = [...bytes].map((byte) => ALPHABET[byte % ALPHABET.length]).join("");
  return letters.match(/.{5}/g)?.join("-") ?? letters;
}
