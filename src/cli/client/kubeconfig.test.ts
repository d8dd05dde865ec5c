import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, expect, it } from "vitest";
import { stringify } from "yaml";
import { readKubeconfig } from "./kubeconfig.ts";

const folder = mkdtempSync(path.join(tmpdir(), "parasaus-kubeconfig-"));
afterAll(() => rmSync(folder, { recursive: true }));

const read = (cluster: object, current = "b") => {
  const file = path.join(folder, "config");
  const contexts = [
    { name: "a", context: { cluster: "other" } },
    { name: "b", context: { cluster: "own" } },
  ];
  const clusters = [
    { name: "other", cluster: { server: "http://other" } },
    { name: "own", cluster },
  ];
  writeFileSync(file, stringify({ contexts, clusters, "current-context": current }));
  return readKubeconfig(file);
};

it("finds the server of the current context, and the authority beside it", () => {
  const server = "https://127.0.0.1:6780/";
  const data = Buffer.from("PEM").toString("base64");
  expect(read({ server, "certificate-authority-data": data })).toEqual({
    servers: ["https://127.0.0.1:6780"],
    ca: "PEM",
  });
  writeFileSync(path.join(folder, "ca.pem"), "FROM A FILE");
  expect(read({ server, "certificate-authority": "ca.pem" }).ca).toBe("FROM A FILE");
  expect(read({ server })).toEqual({ servers: ["https://127.0.0.1:6780"] });
});

it("says what is wrong with a file that names no server, or an authority that is not there", () => {
  expect(() => read({ server: "http://x" }, "nobody")).toThrow(/its current context names no server/);
  expect(() => read({ server: "http://x", "certificate-authority": "gone.pem" })).toThrow(/gone\.pem/);
});
