import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { loadConfiguration } from "./load.ts";
import type { Surroundings } from "./settings.ts";
import { showConfiguration } from "./show.ts";

const around: Surroundings = { program: "up", isRoot: false, homeDirectory: "/home/ann", hostname: "Node-1" };
let folder: string;
let file: string;

beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), "parasaus-configuration-"));
  file = path.join(folder, "parasaus.yaml");
});
afterEach(() => rmSync(folder, { recursive: true }));

const load = (content: string, flags = {}, environment = {}) => {
  writeFileSync(file, content);
  return loadConfiguration({ flags, environment, file, around });
};
const refusal = (content: string, flags = {}, environment = {}) => {
  try {
    load(content, flags, environment);
  } catch (error) {
    return (error as Error).message.replace(file, "FILE");
  }
  return "accepted";
};

describe("ipvs-sync", () => {
  it("has LVS's defaults, and takes what is named", () => {
    const standard = { device: "eth0", id: 0, group: "224.0.0.81", port: 8848, ttl: 1 };
    expect(load("").values.ipvsSync).toBeUndefined();
    expect(load("ipvs-sync: eth0\n").values.ipvsSync).toEqual(standard);
    const named = load("", { ipvsSync: "eth0,id=7,group=224.0.1.9,port=9000,ttl=2" }).values.ipvsSync;
    expect(named).toEqual({ device: "eth0", id: 7, group: "224.0.1.9", port: 9000, ttl: 2 });
  });

  it.each(["a/b", "eth0,id=256", "eth0,group=10.0.0.1", "eth0,speed=9", "eth0,port"])(
    "refuses %s",
    (text) => {
      expect(refusal("", { ipvsSync: text })).toContain(text.split("=").at(-1));
    },
  );
});

describe("precedence", () => {
  const content = "log-level: warn\nmax-flows: 10\ndevices: [eth0, eth1]\n";

  it("takes the flag before the variable, the variable before the file, the file before the default", () => {
    const { values, settings } = load(
      content,
      { maxFlows: "30" },
      { PARASAUS_MAX_FLOWS: "20", PARASAUS_LOG_LEVEL: "debug" },
    );
    expect([values.maxFlows, values.logLevel, values.devices, values.maxPools]).toEqual([
      30,
      "debug",
      ["eth0", "eth1"],
      65_536,
    ]);
    expect([
      settings.maxFlows.source,
      settings.logLevel.source,
      settings.devices.source,
      settings.maxPools.source,
    ]).toEqual([
      { kind: "flag", where: "--max-flows" },
      { kind: "environment", where: "PARASAUS_LOG_LEVEL" },
      { kind: "file", where: `${file}:3` },
      { kind: "default", where: "" },
    ]);
  });

  it("derives defaults from the surroundings and from settings above", () => {
    const { values } = load("data-dir: /srv/p\n");
    expect(values.snapshot).toBe("/srv/p/node");
    expect(values.nodeName).toBe("node-1");
    expect(values.autoCreateNamespaces).toBe(true);
  });

  it("takes an empty file as no settings", () => {
    expect(load("# nothing\n").values.dataDir).toBe("/home/ann/.local/share/parasaus");
  });
});

describe("refusals", () => {
  it.each([
    [
      "log-level: info\nlogLevel: warn\n",
      'Cannot read "FILE": line 2: unknown setting "logLevel"; did you mean "log-level"?',
    ],
    ["listen:\n  host: x\n", 'Cannot read "FILE": line 1: "listen" must be a value or a list of values'],
    ["- a\n", 'Cannot read "FILE": line 1: expected `setting: value` lines'],
    ["log-level: info\nlog-level: warn\n", 'Cannot read "FILE": line 2: Map keys must be unique'],
    ["\nmax-flows: many\n", 'Cannot use FILE:2: found "many", expected a whole number from 1 to 67108864'],
    ["driver: dpdk\n", 'Cannot use FILE:1: found "dpdk", expected auto, ebpf or ipvs'],
    [
      "store: http://a:2379\n",
      'Cannot use FILE:1: found "http://a:2379", expected embedded or etcd://HOST:PORT,HOST:PORT',
    ],
    [
      "store: etcd://ann:secret@a:2379\n",
      'Cannot use FILE:1: found "ann:secret@a:2379", expected HOST:PORT of an etcd member, without user, path or spaces, e.g. etcd://10.0.0.1:2379',
    ],
    ["listen: 127.0.0.1\n", 'Cannot use FILE:1: found "127.0.0.1", expected HOST:PORT, e.g. 127.0.0.1:6780'],
    ["address: 10.0.0.300\n", 'Cannot use FILE:1: found "10.0.0.300", expected an IPv4 address'],
  ])("names the line of %j and what is wrong", (content, message) => {
    expect(refusal(content)).toBe(message);
  });

  it("names the variable whose value is wrong", () => {
    expect(refusal("", {}, { PARASAUS_INSECURE: "perhaps" })).toBe(
      'Cannot use PARASAUS_INSECURE: found "perhaps", expected true or false',
    );
  });

  it("refuses a file that was asked for and is not there", () => {
    const ask = () => loadConfiguration({ flags: {}, environment: {}, file: `${file}.no`, around });
    expect(ask).toThrow(/Cannot read ".*no": ENOENT/);
  });

  it("listens off loopback, where TLS is spoken; --no-auth is for loopback only", () => {
    expect(refusal("", { listen: "0.0.0.0:6780" })).toBe("accepted");
    expect(refusal("", { listen: "0.0.0.0:6780", insecure: "true" })).toBe("accepted");
    expect(refusal("", { insecure: "true", noAuth: "true" })).toMatch(/together with --no-auth/);
    expect(refusal("", { listen: "10.0.0.5:6780", noAuth: "true" })).toMatch(/--no-auth .* "10.0.0.5"/);
  });

  it("takes a certificate with its key only", () => {
    expect(refusal("", { tlsCert: "a.pem", tlsKey: "a.key" })).toBe("accepted");
    expect(refusal("", { tlsCert: "a.pem" })).toBe("Cannot use --tls-cert without --tls-key");
    expect(refusal("", { tlsKey: "a.key" })).toBe("Cannot use --tls-key without --tls-cert");
  });
});

describe("the store", () => {
  it.each([
    ["etcd://a:2379,10.0.0.2:1,[fd00::1]:2379", ["a:2379", "10.0.0.2:1", "[fd00::1]:2379"]],
    ["etcd://a,b.example", ["a:2379", "b.example:2379"]],
    ["etcd://a,a:2379", ["a:2379"]],
  ])("reads the members of %s", (text, endpoints) => {
    expect(load("", { store: text }).values.store).toEqual({ kind: "etcd", endpoints });
  });

  it.each(["etcd://", "etcd://a:0", "etcd://a:65536", "etcd://a/b", "etcd://a,,b", "etcd://[::g]:1", "etcd"])(
    "refuses %s",
    (text) => {
      expect(refusal("", { store: text })).toMatch(/^Cannot use --store: found /);
    },
  );

  it("wants certificate and key together, and neither where the store is embedded", () => {
    const etcd = { store: "etcd://a" };
    expect(refusal("", { ...etcd, storeCert: "c" })).toContain("without --store-key");
    expect(refusal("", { ...etcd, storeKey: "k" })).toContain("the other way round");
    expect(refusal("", { storeCa: "ca" })).toContain("the store is embedded");
    expect(refusal("", { ...etcd, storeCa: "ca", storeCert: "c", storeKey: "k" })).toBe("accepted");
  });
});

describe("showing", () => {
  it("masks the user and password of URLs, and shows only what the program reads", () => {
    const loaded = load("", { server: "http://ann:secret@a:1,http://b:2" });
    const rows = showConfiguration(loaded, "agent");
    expect(rows.find((row) => row.name === "server")?.value).toBe("http://***@a:1,http://b:2");
    expect(rows.some((row) => row.name === "listen")).toBe(false);
  });
});

it("takes an OIDC provider as a whole, and over plain HTTP on loopback alone", () => {
  const whole = { oidcIssuerUrl: "https://id.example.com/realm", oidcClientId: "parasaus" };
  expect(refusal("", whole)).toBe("accepted");
  expect(refusal("", { ...whole, oidcIssuerUrl: "http://127.0.0.1:8080" })).toBe("accepted");
  for (const oidcIssuerUrl of ["http://id.example.com", "id.example.com", "ftp://127.0.0.1", "https://a/?b"])
    expect(refusal("", { ...whole, oidcIssuerUrl })).toMatch(
      /--oidc-issuer-url: found ".*", expected https:/,
    );
  expect(refusal("", { oidcIssuerUrl: whole.oidcIssuerUrl })).toMatch(/without --oidc-client-id/);
  expect(refusal("", { oidcClientId: "parasaus" })).toMatch(/without --oidc-client-id, nor/);
  expect(refusal("", { oidcClientSecretFile: "f" })).toMatch(/--oidc-client-secret-file without/);
});
