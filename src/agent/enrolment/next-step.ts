import { readCertificate, renewalTime } from "../../pki/index.ts";
import type { StoredIdentity } from "./identity-files.ts";

/** Of a certificate's life, after which the next one is asked for. */
const RENEWAL_FRACTION = 2 / 3;

/** What there is to decide from. */
export interface EnrolmentFacts {
  readonly identity: StoredIdentity | undefined;
  /** Hash of the token in the token file; absent: there is none, or the server refused it. */
  readonly tokenHash: string | undefined;
  readonly now: Date;
}

/** What a node does next about its certificate. */
export type EnrolmentStep =
  /** A token that it has not enrolled with: somebody wants it to, whatever it has. */
  | { readonly kind: "enrol" }
  | { readonly kind: "renew" }
  /** Nothing to do before this moment. */
  | { readonly kind: "rest"; readonly until: Date }
  /** It has none, and no token to get one. */
  | { readonly kind: "without" }
  /** It ended: servers refuse it, also for a renewal. */
  | { readonly kind: "ended"; readonly at: Date };

/** Decides it. */
export function nextStep({ identity, tokenHash, now }: EnrolmentFacts): EnrolmentStep {
  if (tokenHash !== undefined && tokenHash !== identity?.tokenHash) return { kind: "enrol" };
  if (!identity) return { kind: "without" };
  const facts = readCertificate(identity.certificate);
  if (now >= facts.validTo) return { kind: "ended", at: facts.validTo };
  const until = renewalTime(facts, RENEWAL_FRACTION);
  return now >= until ? { kind: "renew" } : { kind: "rest", until };
}
