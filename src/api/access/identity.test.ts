import { describe, expect, it } from "vitest";
import { type ClientCertificate, identify, isLoopbackAddress, writerOf } from "./identity.ts";

const now = new Date("2026-01-01T12:00:00Z");
const certificate: ClientCertificate = {
  nodeName: "n1",
  enrolment: "0f",
  validTo: new Date("2026-01-01T12:00:01Z"),
};

describe("who asks", () => {
  it("without a certificate is an operator only from where it is said that he is believed", () => {
    expect(identify({ isLoopback: true }, "loopback", now)).toEqual({ kind: "operator" });
    expect(identify({ isLoopback: false }, "anybody", now)).toEqual({ kind: "operator" });
    for (const [isLoopback, believes] of [
      [false, "loopback"],
      [false, "nobody"],
      [true, "nobody"],
    ] as const) {
      expect(identify({ isLoopback }, believes, now)).toMatchObject({
        kind: "stranger",
        reason: expect.stringContaining("no session, no token and no client certificate"),
      });
    }
  });

  it("with a node's certificate is that node, wherever it asks from", () => {
    for (const isLoopback of [true, false]) {
      for (const believes of ["nobody", "loopback", "anybody"] as const) {
        const identity = identify({ isLoopback, certificate }, believes, now);
        expect(identity).toEqual({ kind: "node", name: "n1", enrolment: "0f" });
      }
    }
  });

  it("is nobody from the moment on when the certificate ends, though the connection goes on", () => {
    const facts = { isLoopback: true, certificate };
    const at = (time: string) => identify(facts, "anybody", new Date(time));
    expect(at("2026-01-01T12:00:00.999Z").kind).toBe("node");
    expect(at("2026-01-01T12:00:01Z")).toEqual({
      kind: "stranger",
      reason: "the client certificate ended at 2026-01-01T12:00:01.000Z",
    });
  });

  it.each([
    [{ ...certificate, problem: "CERT_SIGNATURE_FAILURE" }, "not believed (CERT_SIGNATURE_FAILURE)"],
    [{ ...certificate, nodeName: undefined }, "names no node"],
  ])(
    "is nobody with a certificate that is worth nothing, even where anybody without one is admitted",
    (bad, reason) => {
      expect(identify({ isLoopback: true, certificate: bad }, "anybody", now)).toMatchObject({
        kind: "stranger",
        reason: expect.stringContaining(reason),
      });
    },
  );
});

it("writes in the node's name, whatever the node says it is", () => {
  expect(writerOf({ kind: "node", name: "n1" })).toBe("system:node:n1");
  expect(writerOf({ kind: "operator" })).toBeUndefined();
});

it("knows the addresses that only this machine has", () => {
  const own = ["127.0.0.1", "127.255.255.254", "::1", "::ffff:127.0.0.1"];
  const others = ["10.0.0.1", "::ffff:10.0.0.1", "::", "0.0.0.0", "fe80::1", "127.example", "", undefined];
  expect(own.map(isLoopbackAddress)).toEqual(own.map(() => true));
  expect(others.map(isLoopbackAddress)).toEqual(others.map(() => false));
});
