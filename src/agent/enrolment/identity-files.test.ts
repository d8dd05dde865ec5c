import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import {
  createCertificateAuthority,
  createCertificateRequest,
  issueNodeCertificate,
} from "../../pki/index.ts";
import { identityFilesIn, type StoredIdentity } from "./identity-files.ts";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), "parasaus-identity-"));
});
afterEach(() => rmSync(folder, { recursive: true }));

async function makeIdentity(): Promise<StoredIdentity> {
  const now = new Date();
  const authority = await createCertificateAuthority(now);
  const { request, privateKey } = await createCertificateRequest("n1");
  const options = { request, nodeName: "n1", enrolment: "0".repeat(32), lifetimeMs: 60_000, now };
  const certificate = await issueNodeCertificate(authority, options);
  return { certificate, privateKey, authority: authority.certificate, tokenHash: "ab".repeat(32) };
}
const modeOf = (file: string) => (statSync(file).mode & 0o777).toString(8);

it("reads what it wrote, with an authority and without, and nothing where nothing is", async () => {
  const files = identityFilesIn(path.join(folder, "node"));
  expect([await files.read(), await files.readRequest()]).toEqual([undefined, undefined]);
  const { authority, ...bare } = await makeIdentity();
  await files.write(bare);
  expect(await files.read()).toEqual(bare);
  await files.write({ ...bare, authority: authority ?? "" });
  expect(await files.read()).toEqual({ ...bare, authority });
  const request = await createCertificateRequest("n1");
  await files.writeRequest(request);
  expect(await files.readRequest()).toEqual(request);
  await files.removeRequest();
  expect(readdirSync(path.join(folder, "node"))).toEqual(["identity.pem"]);
});

it("lets nobody but the owner read it, even where an earlier run left a file behind", async () => {
  const directory = path.join(folder, "node");
  const files = identityFilesIn(directory);
  await files.write(await makeIdentity());
  writeFileSync(`${files.path}.new`, "left behind", { mode: 0o644 });
  await files.write(await makeIdentity());
  await files.writeRequest(await createCertificateRequest("n1"));
  const all = readdirSync(directory).map((name) => [name, modeOf(path.join(directory, name))]);
  expect(all.sort()).toEqual([
    ["enrolment-request.pem", "600"],
    ["identity.pem", "600"],
  ]);
  expect(modeOf(directory)).toBe("700");
});

it("takes a certificate that was damaged, or that is over another key, for none", async () => {
  const files = identityFilesIn(folder);
  const [one, other] = [await makeIdentity(), await makeIdentity()];
  await files.write({ ...one, privateKey: other.privateKey });
  expect(await files.read()).toBeUndefined();
  await files.write({ ...one, certificate: one.certificate.replace(/\n(.{60})/, `\n${"A".repeat(60)}`) });
  expect(await files.read()).toBeUndefined();
  await files.write(one);
  expect(await files.read()).toEqual(one);
});

it("takes a file that is cut short for none", async () => {
  const files = identityFilesIn(folder);
  await files.write(await makeIdentity());
  const whole = readFileSync(files.path, "utf8");
  for (const length of [0, 20, whole.indexOf("BEGIN PRIVATE KEY") + 40]) {
    writeFileSync(files.path, whole.slice(0, length));
    expect(await files.read()).toBeUndefined();
  }
});
