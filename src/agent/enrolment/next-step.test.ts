import { beforeAll, expect, it } from "vitest";
import {
  createCertificateAuthority,
  createCertificateRequest,
  issueNodeCertificate,
} from "../../pki/index.ts";
import type { StoredIdentity } from "./identity-files.ts";
import { nextStep } from "./next-step.ts";

const HOUR_MS = 3_600_000;
const start = new Date("2026-01-01T00:00:00Z");
const after = (hours: number) => new Date(start.getTime() + hours * HOUR_MS);
let identity: StoredIdentity;

beforeAll(async () => {
  const authority = await createCertificateAuthority(start);
  const { request, privateKey } = await createCertificateRequest("n1");
  const enrolment = "0".repeat(32);
  const options = { request, nodeName: "n1", enrolment, lifetimeMs: 24 * HOUR_MS, now: start };
  identity = { certificate: await issueNodeCertificate(authority, options), privateKey, tokenHash: "aa" };
});

const stepAt = (hours: number, tokenHash?: string) => nextStep({ identity, tokenHash, now: after(hours) });

it("renews after two thirds of the certificate's life, until it ends", () => {
  expect(stepAt(0)).toEqual({ kind: "rest", until: after(16) });
  expect(stepAt(15.99)).toEqual({ kind: "rest", until: after(16) });
  expect(stepAt(16)).toEqual({ kind: "renew" });
  expect(stepAt(23.99)).toEqual({ kind: "renew" });
  expect(stepAt(24)).toEqual({ kind: "ended", at: after(24) });
});

it("enrols with a token that it has not used, and with no other, whatever it has", () => {
  expect(nextStep({ identity: undefined, tokenHash: "aa", now: start })).toEqual({ kind: "enrol" });
  expect(nextStep({ identity: undefined, tokenHash: undefined, now: start })).toEqual({ kind: "without" });
  expect([0, 16, 24].map((hours) => stepAt(hours, "bb").kind)).toEqual(["enrol", "enrol", "enrol"]);
  expect([0, 16, 24].map((hours) => stepAt(hours, "aa").kind)).toEqual(["rest", "renew", "ended"]);
});
