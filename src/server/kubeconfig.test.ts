import { mkdtempSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, expect, it } from "vitest";
import { parse } from "yaml";
import { writeKubeconfig } from "./kubeconfig.ts";

const folder = mkdtempSync(path.join(tmpdir(), "parasaus-kubeconfig-"));
afterEach(() => rmSync(folder, { recursive: true, force: true }));

it("names the server and who uses it, and lets nobody else read it", () => {
  const file = writeKubeconfig(folder, { url: "http://127.0.0.1:6780" }, { operator: "alice", token: "t" });
  expect(parse(readFileSync(file, "utf8"))).toMatchObject({
    clusters: [{ cluster: { server: "http://127.0.0.1:6780" } }],
    users: [{ user: { as: "alice", token: "t" } }],
    contexts: [{ context: { namespace: "default" } }],
  });
  expect(statSync(file).mode & 0o777).toBe(0o600);
});

it("carries the authority that the server's certificate comes from, as kubectl wants it", () => {
  const server = { url: "https://127.0.0.1:6780", authority: "-----BEGIN CERTIFICATE-----" };
  const file = writeKubeconfig(folder, server, { operator: undefined, token: "t" });
  const [{ cluster }] = parse(readFileSync(file, "utf8")).clusters;
  expect(Buffer.from(cluster["certificate-authority-data"], "base64").toString()).toBe(server.authority);
  expect(parse(readFileSync(file, "utf8")).users).toEqual([{ name: "operator", user: { token: "t" } }]);
});

it("says no name when it does not know who uses it", () => {
  const file = writeKubeconfig(folder, { url: "http://127.0.0.1:6780" }, { operator: undefined, token: "t" });
  expect(parse(readFileSync(file, "utf8")).users).toEqual([{ name: "operator", user: { token: "t" } }]);
});
