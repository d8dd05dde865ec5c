/** Clocks of two machines may differ by this much, milliseconds, and a new certificate is still good on both. */
const SKEW_MS = 5 * 60_000;

/** From when a certificate that is made now is good. */
export function startOf(now: Date): Date {
  return new Date(now.getTime() - SKEW_MS);
}

/** Until when: never longer than the authority that signs it. */
export function endOf(now: Date, lifetimeMs: number, authorityEnd: Date): Date {
  return new Date(Math.min(now.getTime() + lifetimeMs, authorityEnd.getTime()));
}

/**
 * When to ask for the next certificate.
 *
 * @param fraction Of the life between being made and ending, in [0, 1].
 */
export function renewalTime(
  { validFrom, validTo }: { readonly validFrom: Date; readonly validTo: Date },
  fraction: number,
): Date {
  const madeMs = Math.min(validFrom.getTime() + SKEW_MS, validTo.getTime());
  return new Date(madeMs + fraction * (validTo.getTime() - madeMs));
}
