import { X509Certificate } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { FakeClock, silentLogger } from "../../foundation/index.ts";
import {
  type CertificateAuthority,
  createCertificateAuthority,
  issueServerCertificate,
  type KeyAndCertificate,
  readCertificate,
} from "../../pki/index.ts";
import { keepServerTls } from "./keep-server-tls.ts";
import { refreshServerTls, type ServerTls, type ServerTlsOptions, speaksTls } from "./server-tls.ts";

const DAY_MS = 86_400_000;
const folder = mkdtempSync(path.join(tmpdir(), "parasaus-tls-"));
const certFile = path.join(folder, "tls.crt");
const keyFile = path.join(folder, "tls.key");
let authority: CertificateAuthority;
let clock: FakeClock;
let addresses: readonly string[];

beforeAll(async () => {
  authority = await createCertificateAuthority(new FakeClock().now());
});
beforeEach(() => {
  clock = new FakeClock();
  addresses = ["10.0.0.5"];
});
afterAll(() => rmSync(folder, { recursive: true }));

const optionsFor = (configuration: Partial<ServerTlsOptions["configuration"]> = {}): ServerTlsOptions => ({
  configuration: {
    listen: { host: "0.0.0.0", port: 6780 },
    tlsCert: undefined,
    tlsKey: undefined,
    tlsClientCa: undefined,
    tlsSan: ["lb.example"],
    ...configuration,
  },
  authority,
  hostname: "lb-1",
  addresses: () => addresses,
});
const write = ({ certificate, privateKey }: KeyAndCertificate) => {
  writeFileSync(certFile, certificate);
  writeFileSync(keyFile, privateKey);
};
const foreign = async (name: string) => {
  const other = await createCertificateAuthority(clock.now());
  const issued = await issueServerCertificate(other, { names: [name], lifetimeMs: DAY_MS, now: clock.now() });
  return { ...issued, authority: other.certificate };
};

describe("the server's own certificate", () => {
  it("is for its names and addresses, and lives 90 days", async () => {
    const { material, names } = await refreshServerTls(optionsFor(), clock.now());
    expect(names).toEqual(["lb.example", "10.0.0.5", "lb-1", "localhost", "127.0.0.1", "::1"]);
    const { validTo } = readCertificate(material.certificate);
    expect(validTo.getTime() - clock.now().getTime()).toBe(90 * DAY_MS);
    expect(new X509Certificate(material.certificate).checkIP("10.0.0.5")).toBe("10.0.0.5");
  });

  it("stays as it is while nothing changes, until two thirds of its life are over", async () => {
    const first = await refreshServerTls(optionsFor(), clock.now());
    await clock.advance(60 * DAY_MS - 1_000);
    expect(await refreshServerTls(optionsFor(), clock.now(), first)).toBe(first);
    await clock.advance(1_000);
    const next = await refreshServerTls(optionsFor(), clock.now(), first);
    expect(readCertificate(next.material.certificate).validTo.getTime()).toBe(
      readCertificate(first.material.certificate).validTo.getTime() + 60 * DAY_MS,
    );
  });

  it("is made anew when the machine gets another address", async () => {
    const first = await refreshServerTls(optionsFor(), clock.now());
    addresses = ["10.0.0.5", "10.0.0.6"];
    const next = await refreshServerTls(optionsFor(), clock.now(), first);
    expect(new X509Certificate(next.material.certificate).checkIP("10.0.0.6")).toBe("10.0.0.6");
  });

  it("is replaced without a restart, and by none that cannot be used", async () => {
    const ending = new AbortController();
    const ends: number[] = [];
    const failures: unknown[] = [];
    const shown: ServerTls[] = [];
    write(await foreign("one.example"));
    const options = {
      ...optionsFor({ tlsCert: certFile, tlsKey: keyFile }),
      ...{ clock, signal: ending.signal },
      logger: { ...silentLogger, error: (_event: string, facts = {}) => void failures.push(facts) },
      metrics: {
        gauge: () => (labels: Readonly<Record<string, string>>, value: number) => {
          if (labels["certificate"] === "server") ends.push(value);
        },
      },
    };
    const first = await refreshServerTls(options, clock.now());
    const kept = keepServerTls(options, first, (next) => shown.push(next));
    await clock.advance(120_000);
    expect(shown).toEqual([]);
    writeFileSync(certFile, "half a fi");
    await clock.advance(60_000);
    expect([shown.length, failures.length]).toEqual([0, 1]);
    write(await foreign("two.example"));
    await clock.advance(60_000);
    expect(shown.map(({ names }) => names)).toEqual([["lb.example", "two.example"]]);
    expect(ends).toHaveLength(2);
    expect(Number(ends[1]) - Number(ends[0])).toBe(180);
    ending.abort();
    await kept;
  });
});

describe("a certificate from files", () => {
  it("is shown, with the authority that clients need when the file holds it", async () => {
    const issued = await foreign("lb.example.org");
    const options = optionsFor({ tlsCert: certFile, tlsKey: keyFile, tlsSan: [] });
    write(issued);
    const alone = await refreshServerTls(options, clock.now());
    expect([alone.material.certificate, alone.names, alone.authority]).toEqual([
      issued.certificate,
      ["lb.example.org"],
      undefined,
    ]);
    write({ ...issued, certificate: issued.certificate + issued.authority });
    expect((await refreshServerTls(options, clock.now())).authority).toBe(issued.authority);
  });

  it("that is not the key's, or not there, is refused by name", async () => {
    const [one, two] = [await foreign("a"), await foreign("b")];
    write({ ...one, privateKey: two.privateKey });
    const refusal = (configuration: object) =>
      refreshServerTls(optionsFor(configuration), clock.now()).catch((failure: Error) => failure.message);
    expect(await refusal({ tlsCert: certFile, tlsKey: keyFile })).toMatch(
      /^Cannot use --tls-cert ".*tls\.crt" with --tls-key ".*tls\.key": .*mismatch/,
    );
    expect(await refusal({ tlsCert: `${certFile}.no`, tlsKey: keyFile })).toMatch(
      /^Cannot read --tls-cert ".*no"/,
    );
    expect(await refusal({ tlsClientCa: keyFile })).toMatch(/holds no certificate/);
  });

  it("of authorities for clients adds to our own", async () => {
    const other = await createCertificateAuthority(clock.now());
    writeFileSync(certFile, other.certificate + other.certificate);
    const { material } = await refreshServerTls(optionsFor({ tlsClientCa: certFile }), clock.now());
    expect(material.clientAuthorities).toEqual([authority.certificate, other.certificate, other.certificate]);
  });
});

it("speaks TLS, but on loopback without accounts only with a certificate of the operator's", () => {
  const at = (host: string, tlsCert?: string) =>
    speaksTls({ listen: { host, port: 1 }, tlsCert, noAuth: true });
  expect(speaksTls({ listen: { host: "127.0.0.1", port: 1 }, tlsCert: undefined, noAuth: false })).toBe(true);
  expect(["10.0.0.5", "0.0.0.0", "::", "lb.example"].map((host) => at(host))).toEqual([
    true,
    true,
    true,
    true,
  ]);
  expect(["127.0.0.1", "localhost", "::1"].map((host) => at(host))).toEqual([false, false, false]);
  expect(at("127.0.0.1", "a.pem")).toBe(true);
});
