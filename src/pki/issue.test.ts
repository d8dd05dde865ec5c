import { execFileSync } from "node:child_process";
import { webcrypto, X509Certificate } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { authorityOf, publicKeyHash, readCertificate, splitBundle } from "./certificate.ts";
import { type CertificateAuthority, createCertificateAuthority } from "./certificate-authority.ts";
import { createCertificateRequest } from "./certificate-request.ts";
import { issueNodeCertificate, issueServerCertificate } from "./issue.ts";
import { SIGNING } from "./keys.ts";
import { loadX509 } from "./x509.ts";

const DAY_MS = 86_400_000;
const now = new Date();
const enrolment = "0123456789abcdef0123456789abcdef";
let folder: string;
let authority: CertificateAuthority;

beforeAll(async () => {
  folder = mkdtempSync(path.join(tmpdir(), "parasaus-pki-"));
  authority = await createCertificateAuthority(now);
});
afterAll(() => rmSync(folder, { recursive: true }));

const nodeCertificate = async (nodeName = "n1", lifetimeMs = DAY_MS, issuer = authority) => {
  const { request } = await createCertificateRequest("whatever");
  return issueNodeCertificate(issuer, { request, nodeName, enrolment, lifetimeMs, now });
};
const serverCertificate = (names = ["lb.example", "10.0.0.5", "::1"]) =>
  issueServerCertificate(authority, { names, lifetimeMs: 90 * DAY_MS, now });
const fileOf = (name: string, content: string): string => {
  const file = path.join(folder, name);
  writeFileSync(file, content);
  return file;
};
/** OpenSSL's own word on a certificate, seen by whoever trusts only the authority. */
const verify = (certificate: string, purpose: "sslserver" | "sslclient", intermediate = "") => {
  const words = ["verify", "-purpose", purpose, "-CAfile", fileOf("ca.pem", authority.certificate)];
  const untrusted = intermediate === "" ? [] : ["-untrusted", fileOf("between.pem", intermediate)];
  try {
    return execFileSync("openssl", [...words, ...untrusted, fileOf("leaf.pem", certificate)], {
      encoding: "utf8",
      stdio: "pipe",
    }).replace(/^.*: /, "");
  } catch (failure) {
    return String((failure as { stderr: string }).stderr);
  }
};

describe("a server's certificate", () => {
  it("is good for its names and for nothing but a server", async () => {
    const { certificate, privateKey } = await serverCertificate();
    expect(verify(certificate, "sslserver")).toBe("OK\n");
    expect(verify(certificate, "sslclient")).toMatch(
      /unsuitable certificate purpose|unsupported certificate purpose/,
    );
    const parsed = new X509Certificate(certificate);
    expect([parsed.checkHost("lb.example"), parsed.checkIP("10.0.0.5"), parsed.checkIP("::1")]).toEqual([
      "lb.example",
      "10.0.0.5",
      "::1",
    ]);
    expect([parsed.checkHost("other.example"), parsed.checkIP("10.0.0.6")]).toEqual([undefined, undefined]);
    expect(privateKey).toContain("BEGIN PRIVATE KEY");
    expect(readCertificate(certificate).nodeName).toBeUndefined();
  });
});

describe("a node's certificate", () => {
  it("names the node whatever the request says, and is good for nothing but a client", async () => {
    const certificate = await nodeCertificate();
    expect(verify(certificate, "sslclient")).toBe("OK\n");
    expect(verify(certificate, "sslserver")).toMatch(
      /unsuitable certificate purpose|unsupported certificate purpose/,
    );
    expect(readCertificate(certificate)).toMatchObject({ nodeName: "n1", enrolment });
    expect(new X509Certificate(certificate).subject).toBe("CN=node:n1");
  });

  it("lives as long as asked from now on, and a little into the past for slow clocks", async () => {
    const { validFrom, validTo } = readCertificate(await nodeCertificate());
    expect(Math.round((validTo.getTime() - now.getTime()) / 1_000)).toBeCloseTo(86_400, -1);
    expect(Math.round((now.getTime() - validFrom.getTime()) / 1_000)).toBeCloseTo(300, -1);
  });

  it("does not outlive its authority", async () => {
    const { validTo } = readCertificate(await nodeCertificate("n1", 100 * 365 * DAY_MS));
    expect(validTo).toEqual(readCertificate(authority.certificate).validTo);
  });

  it("keeps the longest name that a node can have, though a common name is shorter", async () => {
    const name = `${"a".repeat(252)}b`;
    const certificate = await nodeCertificate(name);
    expect(readCertificate(certificate).nodeName).toBe(name);
    expect(verify(certificate, "sslclient")).toBe("OK\n");
  });

  it("is not believed from another authority, nor can it be an authority itself", async () => {
    const other = await createCertificateAuthority(now);
    expect(verify(await nodeCertificate("n1", DAY_MS, other), "sslclient")).toContain(
      "unable to get local issuer",
    );
    const { request, privateKey } = await createCertificateRequest("n1");
    const between = await issueNodeCertificate(authority, {
      request,
      nodeName: "n1",
      enrolment,
      lifetimeMs: DAY_MS,
      now,
    });
    const forged = await nodeCertificate("n2", DAY_MS, { certificate: between, privateKey });
    expect(verify(forged, "sslclient", between)).toMatch(/invalid CA certificate/);
  });
});

describe("a certificate request", () => {
  const issue = (request: string) =>
    issueNodeCertificate(authority, { request, nodeName: "n1", enrolment, lifetimeMs: DAY_MS, now });

  it.each(["", "hello", "-----BEGIN CERTIFICATE REQUEST-----\nAAAA\n-----END CERTIFICATE REQUEST-----\n"])(
    "that is none is refused: %j",
    async (request) => {
      await expect(issue(request)).rejects.toMatchObject({ code: "BadRequest" });
    },
  );

  it("whose signature is not its own key's is refused: nobody gets a certificate over somebody else's key", async () => {
    const [mine, theirs] = [await createCertificateRequest("n1"), await createCertificateRequest("n1")];
    const der = (pem: string) => Buffer.from(pem.replaceAll(/-----[^-]+-----|\s/g, ""), "base64");
    const [own, other] = [der(mine.request), der(theirs.request)];
    // The public key is 65 bytes behind the header of its bit string; both requests have the same layout.
    const at = own.indexOf(Buffer.from("03420004", "hex")) + 3;
    other.copy(own, at, at, at + 65);
    const request = `-----BEGIN CERTIFICATE REQUEST-----\n${own.toString("base64")}\n-----END CERTIFICATE REQUEST-----\n`;
    await expect(issue(request)).rejects.toMatchObject({
      message: "Cannot issue a certificate: the request is not signed by its own key",
    });
  });

  it.each([
    [{ name: "ECDSA", namedCurve: "P-384", hash: "SHA-384" }],
    [
      {
        name: "RSASSA-PKCS1-v1_5",
        hash: "SHA-256",
        modulusLength: 2_048,
        publicExponent: new Uint8Array([1, 0, 1]),
      },
    ],
  ])("over another kind of key is refused: $name $namedCurve", async (algorithm) => {
    const { Pkcs10CertificateRequestGenerator } = await loadX509();
    const keys = await webcrypto.subtle.generateKey(algorithm, true, ["sign", "verify"]);
    const made = await Pkcs10CertificateRequestGenerator.create({
      name: "CN=n1",
      keys: keys as webcrypto.CryptoKeyPair,
      signingAlgorithm: algorithm,
    });
    await expect(issue(made.toString("pem"))).rejects.toMatchObject({
      message: expect.stringContaining("expected ECDSA over P-256"),
    });
  });
});

describe("reading a certificate", () => {
  const withNames = async (common: string, urls: readonly string[]) => {
    const x509 = await loadX509();
    const keys = (await webcrypto.subtle.generateKey(SIGNING, true, [
      "sign",
      "verify",
    ])) as webcrypto.CryptoKeyPair;
    const extension = new x509.SubjectAlternativeNameExtension(
      urls.map((value) => ({ type: "url" as const, value })),
    );
    const made = await x509.X509CertificateGenerator.createSelfSigned({
      name: [{ CN: [common] }],
      keys,
      signingAlgorithm: SIGNING,
      extensions: urls.length === 0 ? [] : [extension],
    });
    return readCertificate(made.toString("pem")).nodeName;
  };

  it("takes the node's name from the one URI that names a node, else from the common name", async () => {
    expect(await withNames("anything", ["node:n1", "spiffe://else"])).toBe("n1");
    expect(await withNames("node:n1", [])).toBe("n1");
  });

  it.each([
    ["two names", "x", ["node:n1", "node:n2"]],
    ["a common name beside other URIs", "node:n1", ["spiffe://else"]],
    ["two names in one", "x", ["a, URI:node:n1"]],
    ["a name with more behind it", "x", ["node:n1/else"]],
    ["an empty name", "node:", []],
    ["two common names in one", "a\nCN=node:n1", []],
  ])("takes nobody for a node who has %s", async (_what, common, urls) => {
    expect(await withNames(common, urls)).toBeUndefined();
  });

  it("hashes the public key as kubeadm's documentation does with openssl", () => {
    const script =
      "openssl x509 -pubkey -noout | openssl pkey -pubin -outform der | openssl dgst -sha256 -hex | sed 's/^.* //'";
    const expected = execFileSync("sh", ["-c", script], { input: authority.certificate, encoding: "utf8" });
    expect(publicKeyHash(authority.certificate)).toBe(`sha256:${expected.trim()}`);
  });

  it("finds the authority at the end of a chain, when it is there", async () => {
    const { certificate } = await serverCertificate();
    expect(authorityOf(certificate + authority.certificate)).toBe(splitBundle(authority.certificate)[0]);
    expect(authorityOf(certificate)).toBeUndefined();
    expect(authorityOf("nothing")).toBeUndefined();
  });
});
