import { X509Certificate } from "node:crypto";
import { beforeEach, describe, expect, it } from "vitest";
import { FakeClock, silentLogger } from "../../src/foundation/index.ts";
import { createCertificateRequest, hashToken, publicKeyHash, readCertificate } from "../../src/pki/index.ts";
import { ensureCertificateAuthority } from "../../src/server/security/authority-in-store.ts";
import { enrolNode, type NodeIssuer, renewNode } from "../../src/server/security/enrol-node.ts";
import { createEnrolmentToken } from "../../src/server/security/enrolment-tokens.ts";
import { revokeNode } from "../../src/server/security/revoke-node.ts";
import type { Store } from "../../src/store/index.ts";

const HOUR_MS = 3_600_000;
const TOKENS = "/parasaus/security/tokens/";

/** What tokens, enrolments and renewals promise, on any store. `open` gives an empty one and disposes it after the test. */
export function describeEnrolment(name: string, open: () => Promise<Store>): void {
  describe(`enrolment on ${name}`, () => {
    let store: Store;
    let clock: FakeClock;
    let issuer: NodeIssuer;

    beforeEach(async () => {
      store = await open();
      clock = new FakeClock();
      const authority = await ensureCertificateAuthority(store, { clock, logger: silentLogger });
      issuer = { store, authority, lifetimeMs: 24 * HOUR_MS, now: () => clock.now() };
    });

    const makeToken = async (nodeName = "n1") =>
      (await createEnrolmentToken(store, { nodeName, lifetimeMs: HOUR_MS, now: clock.now() })).secret;
    const newRequest = async (nodeName = "n1") => (await createCertificateRequest(nodeName)).request;
    const enrol = (token: string, request: string, nodeName = "n1") =>
      enrolNode(issuer, { token, nodeName, request });
    const enrolmentIn = (certificate: string) => readCertificate(certificate).enrolment;

    describe("a token", () => {
      it("lets one agent enrol, for 24 hours, as the node that it was made for", async () => {
        const certificate = await enrol(await makeToken(), await newRequest("root"));
        const { nodeName, validTo, enrolment } = readCertificate(certificate);
        expect([nodeName, validTo.getTime() - clock.now().getTime()]).toEqual(["n1", 24 * HOUR_MS]);
        expect(enrolment).toMatch(/^[0-9a-f]{32}$/);
        const authority = new X509Certificate(issuer.authority.certificate);
        expect(new X509Certificate(certificate).verify(authority.publicKey)).toBe(true);
      });

      it("is used up by one key, which may ask again because its answer was lost", async () => {
        const [token, request] = [await makeToken(), await newRequest()];
        const first = await enrol(token, request);
        const again = await enrol(token, request);
        expect(publicKeyHash(again)).toBe(publicKeyHash(first));
        expect(enrolmentIn(again)).toBe(enrolmentIn(first));
        await expect(enrol(token, await newRequest())).rejects.toMatchObject({
          code: "Unauthorized",
          message: expect.stringContaining("used already"),
        });
      });

      it("is used by exactly one of many agents that come at the same moment", async () => {
        const token = await makeToken();
        const requests = await Promise.all(Array.from({ length: 8 }, () => newRequest()));
        const outcomes = await Promise.allSettled(requests.map((request) => enrol(token, request)));
        const refused = outcomes.filter((outcome) => outcome.status === "rejected");
        expect(outcomes.length - refused.length).toBe(1);
        for (const { reason } of refused) expect(reason).toMatchObject({ code: "Unauthorized" });
      });

      it("is taken from an agent that looked before another one used it", async () => {
        const token = await makeToken();
        let isFirstLook = true;
        const late: Store = Object.assign(Object.create(store) as Store, {
          get: async (key: string) => {
            const entry = await store.get(key);
            if (isFirstLook && key.startsWith(TOKENS)) {
              isFirstLook = false;
              await enrol(token, await newRequest());
            }
            return entry;
          },
          transact: (...words: Parameters<Store["transact"]>) => store.transact(...words),
        });
        const asked = { token, nodeName: "n1", request: await newRequest() };
        await expect(enrolNode({ ...issuer, store: late }, asked)).rejects.toMatchObject({
          code: "Unauthorized",
        });
        expect(isFirstLook).toBe(false);
      });

      it("is refused for another node's name, and may be used afterwards all the same", async () => {
        const token = await makeToken();
        await expect(enrol(token, await newRequest("n2"), "n2")).rejects.toMatchObject({
          code: "Forbidden",
          message: 'Cannot enrol the node "n2": the token is for the node "n1"',
        });
        expect(readCertificate(await enrol(token, await newRequest())).nodeName).toBe("n1");
      });

      it("ends when it says, and is forgotten with the next one that is made", async () => {
        const [early, late] = [await makeToken(), await makeToken()];
        await clock.advance(HOUR_MS - 1);
        await enrol(early, await newRequest());
        await clock.advance(1);
        await expect(enrol(late, await newRequest())).rejects.toMatchObject({
          code: "Unauthorized",
          message: expect.stringContaining("the token ended at 2026-01-01T01:00:00.000Z"),
        });
        expect((await store.range(TOKENS)).count).toBe(2);
        await makeToken();
        expect((await store.range(TOKENS)).count).toBe(1);
      });

      it("that nobody made is refused", async () => {
        await expect(enrol("0".repeat(64), await newRequest())).rejects.toMatchObject({
          code: "Unauthorized",
        });
        await expect(enrol("", await newRequest())).rejects.toMatchObject({ code: "Unauthorized" });
      });

      it("is not used up by a certificate request that is none", async () => {
        const token = await makeToken();
        await expect(enrol(token, "nonsense")).rejects.toMatchObject({ code: "BadRequest" });
        await enrol(token, await newRequest());
      });

      it("is in the store as its hash alone", async () => {
        const token = await makeToken();
        await enrol(token, await newRequest());
        const { entries } = await store.range("/parasaus/security/");
        expect(JSON.stringify(entries)).not.toContain(token);
        // The control: what is there is found.
        expect(JSON.stringify(entries)).toContain(hashToken(token));
      });
    });

    describe("a renewal", () => {
      const renew = async (certificate: string, nodeName = "n1") =>
        renewNode(issuer, { nodeName, enrolment: enrolmentIn(certificate), request: await newRequest() });

      it("gives the node another certificate of the same enrolment, as often as it asks", async () => {
        const first = await enrol(await makeToken(), await newRequest());
        await clock.advance(16 * HOUR_MS);
        const second = await renew(first);
        const third = await renew(second);
        expect([second, third].map(enrolmentIn)).toEqual([enrolmentIn(first), enrolmentIn(first)]);
        expect(readCertificate(third).validTo.getTime() - clock.now().getTime()).toBe(24 * HOUR_MS);
        expect(publicKeyHash(second)).not.toBe(publicKeyHash(first));
      });

      it("is refused when the node was enrolled anew since, and not to the new one", async () => {
        const old = await enrol(await makeToken(), await newRequest());
        const current = await enrol(await makeToken(), await newRequest());
        await expect(renew(old)).rejects.toMatchObject({
          code: "Forbidden",
          message: expect.stringContaining("enrolled anew since"),
        });
        await renew(current);
      });

      it("is refused where no enrolment is known, and for a certificate of another authority", async () => {
        const certificate = await enrol(await makeToken(), await newRequest());
        await expect(renew(certificate, "n2")).rejects.toMatchObject({ code: "Forbidden" });
        const foreign = { nodeName: "n1", enrolment: undefined, request: await newRequest() };
        await expect(renewNode(issuer, foreign)).rejects.toMatchObject({
          code: "Forbidden",
          message: expect.stringContaining("another authority made it"),
        });
      });
    });

    describe("a revocation", () => {
      it("ends renewals and the tokens of the node, and those of no other", async () => {
        const certificate = await enrol(await makeToken(), await newRequest());
        const [unused, others] = [await makeToken(), await makeToken("n2")];
        await revokeNode(store, "n1", clock.now());
        const renewal = { nodeName: "n1", enrolment: enrolmentIn(certificate), request: await newRequest() };
        await expect(renewNode(issuer, renewal)).rejects.toMatchObject({
          code: "Forbidden",
          message: expect.stringContaining("no enrolment of it is known"),
        });
        await expect(enrol(unused, await newRequest())).rejects.toMatchObject({ code: "Unauthorized" });
        await enrol(others, await newRequest("n2"), "n2");
        // The control: a token that is made afterwards lets the node in again.
        await enrol(await makeToken(), await newRequest());
      });

      it("of a node that nobody knows is refused", async () => {
        await expect(revokeNode(store, "n1", clock.now())).rejects.toMatchObject({ code: "NotFound" });
      });

      it("is remembered as long as a certificate may live, a year", async () => {
        const revoked = async () =>
          (await store.range("/parasaus/security/revocations/")).entries.map(({ key }) =>
            key.split("/").at(-1),
          );
        for (const [nodeName, expected] of [
          ["n1", ["n1"]],
          ["n2", ["n1", "n2"]],
          ["n3", ["n2", "n3"]],
        ] as const) {
          await makeToken(nodeName);
          await revokeNode(store, nodeName, clock.now());
          expect(await revoked()).toEqual(expected);
          await clock.advance(184 * 24 * HOUR_MS);
        }
      });

      it("does not miss a node that enrols at the same moment", async () => {
        const token = await makeToken();
        const late: Store = Object.assign(Object.create(store) as Store, {
          get: (key: string) => store.get(key),
          range: async (...words: Parameters<Store["range"]>) => {
            const found = await store.range(...words);
            if (words[0] === TOKENS) await enrol(token, await newRequest());
            return found;
          },
          transact: (...words: Parameters<Store["transact"]>) => store.transact(...words),
        });
        await expect(revokeNode(late, "n1", clock.now())).rejects.toMatchObject({ code: "Conflict" });
        await revokeNode(store, "n1", clock.now());
      });
    });
  });
}
